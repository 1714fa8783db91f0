-- Blocks are named queries; parameters are named, columns come in the order given here.

-- name: meta_get
SELECT value FROM meta WHERE name = :name;

-- name: meta_set
INSERT INTO meta (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: idempotency_get
SELECT digest, result FROM idempotency WHERE caller = :caller AND key = :key;

-- name: idempotency_put
INSERT INTO idempotency (caller, key, digest, result, at)
VALUES (:caller, :key, :digest, :result, :at);

-- name: idempotency_purge
DELETE FROM idempotency WHERE (caller, key) IN (
    SELECT caller, key FROM idempotency WHERE at < :before LIMIT :limit
);

-- name: journal_nth_newest
-- The event of one topic that so many newer ones follow.
SELECT seq FROM journal WHERE topic = :topic AND seq <= :upto
ORDER BY seq DESC LIMIT 1 OFFSET :skip;

-- name: journal_newest
SELECT id FROM journal WHERE topic = :topic ORDER BY seq DESC LIMIT 1;

-- name: journal_at
-- When the newest event up to a place happened, of those that are still stored.
SELECT at FROM journal WHERE seq <= :seq ORDER BY seq DESC LIMIT 1;

-- name: trim_note
INSERT INTO trimmed (topic, seq) VALUES (:topic, :seq)
ON CONFLICT (topic) DO UPDATE SET seq = max(seq, excluded.seq);
