-- name: ticket_put
INSERT INTO tickets (digest, scopes, expires_at) VALUES (:digest, :scopes, :expires_at);

-- name: ticket_get
SELECT scopes, expires_at FROM tickets WHERE digest = :digest;

-- name: ticket_delete
DELETE FROM tickets WHERE digest = :digest;

-- name: ticket_delete_all
DELETE FROM tickets;

-- name: ticket_sweep
DELETE FROM tickets WHERE expires_at <= :now;

-- name: ticket_trim
DELETE FROM tickets WHERE digest IN (
    SELECT digest FROM tickets ORDER BY expires_at DESC, digest LIMIT -1 OFFSET :most
);

-- name: browser_all
SELECT digest, scopes, created_at, used_at FROM browsers ORDER BY created_at;

-- name: browser_get
SELECT digest, scopes, created_at, used_at FROM browsers WHERE digest = :digest;

-- name: browser_put
INSERT INTO browsers (digest, scopes, created_at, used_at) VALUES (:digest, :scopes, :at, :at);

-- name: browser_used
UPDATE browsers SET used_at = :at WHERE digest = :digest;

-- name: browser_over
SELECT digest FROM browsers ORDER BY used_at DESC, created_at DESC LIMIT -1 OFFSET :most;

-- name: browser_delete
DELETE FROM browsers WHERE digest = :digest;

-- name: browser_sweep
DELETE FROM browsers WHERE used_at <= :before;
