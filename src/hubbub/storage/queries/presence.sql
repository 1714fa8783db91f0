-- name: presence_all
SELECT agent, status, last_heartbeat, active_issue_id, machine_id, doors FROM presence
ORDER BY agent;

-- name: presence_put
INSERT INTO presence (agent, status, last_heartbeat, active_issue_id, machine_id, doors)
VALUES (:agent, :status, :last_heartbeat, :active_issue_id, :machine_id, :doors)
ON CONFLICT (agent) DO UPDATE SET
    status = excluded.status,
    last_heartbeat = excluded.last_heartbeat,
    active_issue_id = excluded.active_issue_id,
    machine_id = excluded.machine_id,
    doors = excluded.doors;

-- name: presence_delete
DELETE FROM presence WHERE agent = :agent;
