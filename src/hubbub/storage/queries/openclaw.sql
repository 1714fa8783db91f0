-- name: openclaw_missed
-- The newest ends of chat turns, injected messages and direct messages of a while.
SELECT seq, id, topic, kind, actor, at, data, cause FROM journal
WHERE seq > :after AND seq <= :upto AND (
    (topic >= 'chat/' AND topic < 'chat0'
        AND kind IN ('chat.final', 'chat.error', 'chat.aborted', 'chat.injected'))
    OR (topic >= 'direct/' AND topic < 'direct0' AND kind = 'direct.message')
)
ORDER BY seq DESC LIMIT :limit;

-- name: openclaw_spellings
-- The session keys of some runs as their senders wrote them.
SELECT run_id, spelling FROM chat_turns WHERE run_id IN (SELECT value FROM json_each(:run_ids));
