-- name: run_get
SELECT run_id, agent, client, intent, outcome_description, source, session_key, on_disconnect,
       started_at, ended_at, status, termination, turn_count, trace_bytes, grace_ms
FROM runs WHERE run_id = :run_id;

-- name: run_open
-- All runs that have not ended, oldest first.
SELECT run_id, agent, client, intent, outcome_description, source, session_key, on_disconnect,
       started_at, ended_at, status, termination, turn_count, trace_bytes, grace_ms
FROM runs WHERE status = 'in_progress' ORDER BY started_at, seq;

-- name: run_list
-- The newest runs of one agent, or of all, newest first.
SELECT run_id, agent, client, intent, outcome_description, source, session_key, on_disconnect,
       started_at, ended_at, status, termination, turn_count, trace_bytes, grace_ms
FROM runs WHERE (:agent IS NULL OR agent = :agent)
ORDER BY started_at DESC, seq DESC LIMIT :limit;

-- name: run_rows
-- The newest runs as the room shows them.
SELECT run_id, agent, client, intent, outcome_description, source, session_key, on_disconnect,
       started_at, ended_at, status, termination, turn_count, trace_bytes, grace_ms
FROM runs ORDER BY seq DESC LIMIT :limit;

-- name: run_put
INSERT INTO runs (seq, run_id, agent, client, intent, outcome_description, source, session_key,
                  on_disconnect, grace_ms, started_at, status, turn_count, trace_bytes)
VALUES (:seq, :run_id, :agent, :client, :intent, :outcome_description, :source, :session_key,
        :on_disconnect, :grace_ms, :started_at, 'in_progress', 0, 0);

-- name: run_count_turn
UPDATE runs SET turn_count = turn_count + 1, trace_bytes = trace_bytes + :bytes
WHERE run_id = :run_id;

-- name: run_end
UPDATE runs SET status = :status, termination = :termination, ended_at = :ended_at
WHERE run_id = :run_id;

-- name: run_turn_put
INSERT INTO run_turns (run_id, idx, turn) VALUES (:run_id, :idx, :turn);

-- name: run_snapshot
-- A run, the journal's newest position, and all turns as one JSON array, as of one moment.
SELECT run_id, agent, client, intent, outcome_description, source, session_key, on_disconnect,
       started_at, ended_at, status, termination, turn_count, trace_bytes, grace_ms,
       coalesce((SELECT max(seq) FROM journal), 0),
       '[' || coalesce((SELECT group_concat(turn, ',') FROM (
           SELECT turn FROM run_turns WHERE run_turns.run_id = :run_id ORDER BY idx
       )), '') || ']'
FROM runs WHERE run_id = :run_id;
