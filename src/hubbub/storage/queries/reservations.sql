-- name: reservation_add
INSERT INTO reservations (agent, paths, mode, reason, claimed_at, expires_at)
VALUES (:agent, :paths, :mode, :reason, :claimed_at, :expires_at)
RETURNING id;

-- name: reservation_get
SELECT id, agent, paths, mode, reason, claimed_at, expires_at FROM reservations WHERE id = :id;

-- name: reservation_all
SELECT id, agent, paths, mode, reason, claimed_at, expires_at FROM reservations ORDER BY id;

-- name: reservation_held
SELECT id, agent, paths, mode, reason, claimed_at, expires_at FROM reservations
WHERE expires_at > :now ORDER BY id;

-- name: reservation_extend
UPDATE reservations SET expires_at = :expires_at, reason = :reason WHERE id = :id;

-- name: reservation_remove
DELETE FROM reservations WHERE id = :id;

-- name: reservation_next_expiry
SELECT min(expires_at) FROM reservations;
