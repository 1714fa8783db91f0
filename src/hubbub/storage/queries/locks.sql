-- name: lock_get
SELECT issue_id, holder, fence, claimed_at, expires_at FROM locks WHERE issue_id = :issue_id;

-- name: lock_newest_fence
-- A restored store knows nothing of what was granted after its copy: it counts from the floor.
SELECT max(
    coalesce((SELECT fence FROM locks WHERE issue_id = :issue_id), 0),
    coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'fence_floor'), 0)
);

-- name: lock_put
INSERT INTO locks (issue_id, holder, fence, claimed_at, expires_at)
VALUES (:issue_id, :holder, :fence, :claimed_at, :expires_at)
ON CONFLICT (issue_id) DO UPDATE SET
    holder = excluded.holder,
    fence = excluded.fence,
    claimed_at = excluded.claimed_at,
    expires_at = excluded.expires_at;

-- name: lock_free
UPDATE locks SET holder = NULL WHERE issue_id = :issue_id;

-- name: lock_held
SELECT issue_id, holder, fence, claimed_at, expires_at FROM locks
WHERE holder IS NOT NULL AND expires_at > :now ORDER BY issue_id;

-- name: lock_expired
SELECT issue_id, holder, fence, claimed_at, expires_at FROM locks
WHERE holder IS NOT NULL AND expires_at <= :now ORDER BY expires_at, issue_id;

-- name: lock_next_expiry
SELECT min(expires_at) FROM locks WHERE holder IS NOT NULL;

-- name: lock_beyond
SELECT issue_id, holder, fence, claimed_at, expires_at FROM locks
WHERE holder IS NOT NULL AND expires_at > :latest ORDER BY issue_id;

-- name: lock_rows
-- As the room shows them: held until their end is told.
SELECT issue_id, holder, fence, claimed_at, expires_at FROM locks
WHERE holder IS NOT NULL ORDER BY issue_id;
