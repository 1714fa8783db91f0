-- name: waiting_add
INSERT INTO waiting (ticket, agent, actor, issue_id, wanted, lease_ms, until)
VALUES (:ticket, :agent, :actor, :issue_id, :wanted, :lease_ms, :until);

-- name: waiting_held_by
UPDATE waiting SET held_by = :held_by WHERE ticket = :ticket;

-- name: waiting_rows
-- As the room shows them.
SELECT ticket, agent, issue_id, held_by, until FROM waiting ORDER BY place;

-- name: waiting_all
SELECT ticket, agent, actor, issue_id, wanted, lease_ms, until FROM waiting ORDER BY place;

-- name: waiting_for_issue
SELECT ticket, agent, actor, issue_id, wanted, lease_ms, until FROM waiting
WHERE issue_id = :issue_id ORDER BY place;

-- name: waiting_for_paths
SELECT ticket, agent, actor, issue_id, wanted, lease_ms, until FROM waiting
WHERE issue_id IS NULL ORDER BY place;

-- name: waiting_one
SELECT ticket, agent, actor, issue_id, wanted, lease_ms, until FROM waiting
WHERE ticket = :ticket;

-- name: waiting_over
SELECT ticket, agent, actor, issue_id, wanted, lease_ms, until FROM waiting
WHERE until <= :now ORDER BY place;

-- name: waiting_count
SELECT count(*) FROM waiting;

-- name: waiting_next_end
SELECT min(until) FROM waiting;

-- name: waiting_remove
DELETE FROM waiting WHERE ticket = :ticket;

-- name: waiting_holders
-- Who waits for a lock, and who holds it.
SELECT waiting.agent, waiting.issue_id, locks.holder
FROM waiting JOIN locks ON locks.issue_id = waiting.issue_id
WHERE locks.holder IS NOT NULL AND locks.expires_at > :now
ORDER BY waiting.place;
