-- The past: what domain events, which are never cut, said up to a place (:at). The index on
-- (topic, seq) leads from topic to topic and to the newest event of each.

-- name: past_newest
-- The newest event of some kinds of each topic between two names, or a part (:path) of its data.
WITH RECURSIVE topics (topic) AS (
    SELECT min(topic) FROM journal WHERE topic >= :first AND topic < :end
    UNION ALL
    SELECT (SELECT min(topic) FROM journal WHERE topic > topics.topic AND topic < :end)
    FROM topics WHERE topics.topic IS NOT NULL
)
SELECT
    kind,
    CASE WHEN :path IS NULL THEN data ELSE json_extract(CAST(data AS TEXT), :path) END
FROM topics JOIN journal ON journal.seq = (
    SELECT seq FROM journal
    WHERE topic = topics.topic AND seq <= :at AND kind IN (SELECT value FROM json_each(:kinds))
    ORDER BY seq DESC LIMIT 1
);

-- name: past_runs
-- The newest runs that had begun, each with its newest event but for what a turn says.
SELECT run_id, agent, client, intent, outcome_description, source, session_key, on_disconnect,
       started_at, grace_ms, newest.kind,
       CASE newest.kind
           WHEN 'run.turn' THEN json_remove(CAST(newest.data AS TEXT), '$.turn')
           ELSE newest.data
       END
FROM (SELECT * FROM runs WHERE seq <= :at ORDER BY seq DESC LIMIT :limit) AS begun
JOIN journal AS newest ON newest.seq = (
    SELECT max(seq) FROM journal WHERE topic = 'runs/' || begun.run_id AND seq <= :at
)
ORDER BY begun.seq DESC;

-- name: past_run
SELECT run_id, agent, client, intent, outcome_description, source, session_key, on_disconnect,
       started_at, grace_ms, newest.kind,
       CASE newest.kind
           WHEN 'run.turn' THEN json_remove(CAST(newest.data AS TEXT), '$.turn')
           ELSE newest.data
       END
FROM runs
JOIN journal AS newest ON newest.seq = (
    SELECT max(seq) FROM journal WHERE topic = 'runs/' || runs.run_id AND seq <= :at
)
WHERE runs.run_id = :run_id;

-- name: past_turns
-- The first turns of a run, which are only ever added.
SELECT turn FROM run_turns WHERE run_id = :run_id AND idx < :count ORDER BY idx;

-- name: past_waits
-- The waits that had begun and not ended.
SELECT data FROM (
    SELECT seq, kind, data FROM journal WHERE topic >= 'locks/' AND topic < 'locks0'
    UNION ALL
    SELECT seq, kind, data FROM journal WHERE topic = 'reservations/waiting'
)
WHERE kind = 'wait.begun' AND seq <= :at
    AND json_extract(CAST(data AS TEXT), '$.ticket') NOT IN (
        SELECT json_extract(CAST(data AS TEXT), '$.ticket') FROM (
            SELECT seq, kind, data FROM journal WHERE topic >= 'locks/' AND topic < 'locks0'
            UNION ALL
            SELECT seq, kind, data FROM journal WHERE topic = 'reservations/waiting'
        )
        WHERE kind = 'wait.ended' AND seq <= :at
    )
ORDER BY seq;

-- name: past_session
-- What the newest event that tells of a session says it is.
SELECT json_extract(CAST(data AS TEXT), '$.session') FROM journal
WHERE topic = :topic AND seq <= :at AND kind NOT IN (
    'chat.started', 'chat.rolled_back', 'chat.imported'
)
ORDER BY seq DESC LIMIT 1;

-- name: past_page
-- Events of one topic up to a place, the newest first.
SELECT seq, kind, data FROM journal WHERE topic = :topic AND seq <= :at
ORDER BY seq DESC LIMIT :limit;

-- name: past_topic
-- All events of one topic up to a place.
SELECT data FROM journal WHERE topic = :topic AND seq <= :at ORDER BY seq;

-- name: past_description
-- The newest word on an issue's description.
SELECT json_extract(CAST(data AS TEXT), '$.description') FROM journal
WHERE topic = :topic AND seq <= :at
    AND json_type(CAST(data AS TEXT), '$.description') IS NOT NULL
ORDER BY seq DESC LIMIT 1;
