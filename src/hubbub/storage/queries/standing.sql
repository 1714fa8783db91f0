-- name: standing_all
SELECT id, topic FROM standing WHERE door = :door ORDER BY rowid;

-- name: standing_unclaimed
-- The oldest of a caller and topic that nobody has asked for since the daemon began.
SELECT id FROM standing
WHERE door = :door AND caller = :caller AND topic = :topic AND daemon <> :daemon
ORDER BY rowid LIMIT 1;

-- name: standing_claim
UPDATE standing SET daemon = :daemon WHERE id = :id;

-- name: standing_count
SELECT count(*) FROM standing WHERE door = :door;

-- name: standing_oldest
-- The oldest of all that nobody has asked for since the daemon began.
SELECT id FROM standing WHERE door = :door AND daemon <> :daemon ORDER BY rowid LIMIT 1;

-- name: standing_add
INSERT INTO standing (id, door, caller, topic, daemon)
VALUES (:id, :door, :caller, :topic, :daemon);

-- name: standing_get
SELECT 1 FROM standing WHERE id = :id;

-- name: standing_remove
DELETE FROM standing WHERE id = :id AND door = :door;
