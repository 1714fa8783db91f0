-- name: token_all
SELECT digest, agent, scopes, created_at FROM tokens ORDER BY created_at;

-- name: token_put
INSERT INTO tokens (digest, agent, scopes, created_at)
VALUES (:digest, :agent, :scopes, :created_at);

-- name: token_delete
DELETE FROM tokens WHERE digest = :digest;

-- name: token_get
SELECT digest, agent, scopes, created_at FROM tokens WHERE digest = :digest;
