-- name: identity_all
SELECT name, agent_id FROM identities WHERE root = :root;

-- name: identity_put
INSERT INTO identities (agent_id, name, root, at) VALUES (:agent_id, :name, :root, :at)
ON CONFLICT (agent_id) DO NOTHING;
