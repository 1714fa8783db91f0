-- name: crosslink_skipped
-- How many of the events that this wire shows are more than it replays, and the last of them.
SELECT count(*), max(seq) FROM (
    SELECT seq FROM journal
    WHERE seq > :after AND seq <= :upto AND (
        (kind = 'issue.changed' AND topic >= 'issues/' AND topic < 'issues0')
        OR (kind = 'agent.status' AND topic >= 'agents/' AND topic < 'agents0')
        OR (kind LIKE 'lock.%' AND topic >= 'locks/' AND topic < 'locks0')
    )
    ORDER BY seq DESC LIMIT -1 OFFSET :keep
);
