-- name: chat_session_get
SELECT session_key, agent, session_id, updated_at, fields FROM chat_sessions
WHERE session_key = :session_key;

-- name: chat_session_all
-- All sessions, the one that changed last first.
SELECT session_key, agent, session_id, updated_at, fields FROM chat_sessions
ORDER BY updated_at DESC, session_key;

-- name: chat_session_rows
SELECT session_key, agent, session_id, updated_at, fields FROM chat_sessions
ORDER BY updated_at DESC, session_key LIMIT :limit;

-- name: chat_session_labelled
SELECT session_key FROM chat_sessions WHERE label = :label;

-- name: chat_session_put
INSERT INTO chat_sessions (session_key, agent, session_id, updated_at, label, fields)
VALUES (:session_key, :agent, :session_id, :updated_at, :label, :fields)
ON CONFLICT (session_key) DO UPDATE SET
    session_id = excluded.session_id, updated_at = excluded.updated_at,
    label = excluded.label, fields = excluded.fields;

-- name: chat_session_delete
DELETE FROM chat_sessions WHERE session_key = :session_key;

-- name: chat_session_edges
-- The first message of the user and the last message of some transcripts.
SELECT session_id,
    (SELECT message FROM chat_messages
     WHERE session_id = ids.session_id AND role = 'user' ORDER BY place, seq LIMIT 1),
    (SELECT message FROM chat_messages
     WHERE session_id = ids.session_id ORDER BY place DESC, seq DESC LIMIT 1)
FROM (SELECT DISTINCT value AS session_id FROM json_each(:session_ids)) AS ids;

-- name: chat_message_next
SELECT coalesce(max(seq), 0) + 1 FROM chat_messages;

-- name: chat_message_known
SELECT 1 FROM chat_messages WHERE session_id = :session_id AND message_id = :message_id;

-- name: chat_message_put
INSERT INTO chat_messages (seq, session_id, place, message_id, run_id, role, bytes, message)
VALUES (:seq, :session_id, :place, :message_id, :run_id, :role, :bytes, :message);

-- name: chat_message_import
INSERT INTO chat_messages (session_id, place, message_id, origin, role, bytes, message)
VALUES (:session_id, :place, :message_id, :origin, :role, :bytes, :message)
ON CONFLICT (session_id, origin) WHERE origin IS NOT NULL DO NOTHING;

-- name: chat_message_get
SELECT message FROM chat_messages WHERE seq = :seq;

-- name: chat_message_delete
DELETE FROM chat_messages WHERE session_id = :session_id;

-- name: chat_message_ids_at
-- A question and what stands below it.
SELECT message_id FROM chat_messages
WHERE session_id = :session_id AND place = :place ORDER BY seq;

-- name: chat_message_delete_at
DELETE FROM chat_messages WHERE session_id = :session_id AND place = :place;

-- name: chat_history
-- The newest messages before a place, oldest first, as many as fit into a JSON array of so
-- many bytes: two brackets, and a comma between two.
SELECT stored.message FROM (
    SELECT seq, place, sum(bytes + 1) OVER newest AS total, row_number() OVER newest AS number
    FROM (
        SELECT seq, place, bytes FROM chat_messages
        WHERE session_id = :session_id AND place < :before
        ORDER BY place DESC, seq DESC LIMIT :limit
    )
    WINDOW newest AS (ORDER BY place DESC, seq DESC)
) AS kept JOIN chat_messages AS stored ON stored.seq = kept.seq
WHERE kept.total + 1 <= :max_bytes OR kept.number = 1
ORDER BY kept.place, kept.seq;

-- name: chat_history_of
-- As `chat_history`, of a session's own transcript, each message with its run.
WITH newest AS (
    SELECT seq, place, bytes FROM chat_messages
    WHERE session_id = (SELECT session_id FROM chat_sessions WHERE session_key = :session_key)
    ORDER BY place DESC, seq DESC LIMIT :limit
),
counted AS (
    SELECT seq, sum(bytes + 1) OVER back AS total, row_number() OVER back AS number FROM newest
    WINDOW back AS (ORDER BY place DESC, seq DESC)
)
SELECT message, run_id FROM chat_messages
WHERE seq IN (SELECT seq FROM counted WHERE total + 1 <= :max_bytes OR number = 1)
ORDER BY place, seq;

-- name: chat_turn_get
SELECT run_id, caller, digest, session_key, session_id, spelling, agent, place, thinking,
       timeout_ms, state, error, cause
FROM chat_turns WHERE run_id = :run_id;

-- name: chat_turn_open
-- The turns of one session that have not ended, oldest first.
SELECT run_id, caller, digest, session_key, session_id, spelling, agent, place, thinking,
       timeout_ms, state, error, cause
FROM chat_turns
WHERE state IN ('accepted', 'started') AND session_key = :session_key ORDER BY place;

-- name: chat_turn_open_all
SELECT run_id, caller, digest, session_key, session_id, spelling, agent, place, thinking,
       timeout_ms, state, error, cause
FROM chat_turns WHERE state IN ('accepted', 'started') ORDER BY place;

-- name: chat_turn_put
INSERT INTO chat_turns (run_id, caller, digest, session_key, session_id, spelling, agent, place,
                        thinking, timeout_ms, state, cause, accepted_at)
VALUES (:run_id, :caller, :digest, :session_key, :session_id, :spelling, :agent, :place,
        :thinking, :timeout_ms, 'accepted', :cause, :accepted_at);

-- name: chat_turn_start
UPDATE chat_turns SET state = 'started', cause = :cause WHERE run_id = :run_id;

-- name: chat_turn_end
UPDATE chat_turns SET state = :state, error = :error, ended_at = :ended_at WHERE run_id = :run_id;

-- name: chat_turn_purge
-- Turns that ended long ago: their keys are remembered no longer.
DELETE FROM chat_turns WHERE run_id IN (
    SELECT run_id FROM chat_turns WHERE ended_at < :before LIMIT :limit
);

-- name: chat_import_get
SELECT session_id FROM chat_imports WHERE session_key = :session_key AND source_id = :source_id;

-- name: chat_import_put
INSERT INTO chat_imports (session_key, source_id, session_id)
VALUES (:session_key, :source_id, :session_id);

-- name: chat_import_forget
DELETE FROM chat_imports WHERE session_key = :session_key;
