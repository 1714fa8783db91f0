-- name: presence_all
SELECT agent, status, last_heartbeat, active_issue_id, machine_id, doors, known FROM presence
ORDER BY agent;

-- name: presence_rows
-- As the room shows them: those of whom an event has told.
SELECT agent, status, doors FROM presence WHERE known ORDER BY agent;

-- name: presence_put
INSERT INTO presence
    (agent, status, last_heartbeat, active_issue_id, machine_id, doors, known)
VALUES (:agent, :status, :last_heartbeat, :active_issue_id, :machine_id, :doors, :known)
ON CONFLICT (agent) DO UPDATE SET
    status = excluded.status,
    last_heartbeat = excluded.last_heartbeat,
    active_issue_id = excluded.active_issue_id,
    machine_id = excluded.machine_id,
    doors = excluded.doors,
    known = excluded.known;

-- name: presence_delete
DELETE FROM presence WHERE agent = :agent;
