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

-- name: journal_activity
-- Events at even distances from the first that is kept to the last: a look-up for each.
WITH RECURSIVE place (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM place WHERE n < :steps),
first (seq) AS (SELECT min(seq) FROM journal)
SELECT DISTINCT journal.seq, journal.at
FROM place CROSS JOIN first JOIN journal ON journal.seq = (
    SELECT min(seq) FROM journal
    WHERE seq >= first.seq + place.n * (:last - first.seq) / :steps AND seq <= :last
)
ORDER BY journal.seq;

-- name: journal_event
SELECT seq, id, topic, kind, actor, at, data, cause FROM journal
WHERE id = :id AND seq <= :upto;

-- name: journal_effects
SELECT seq, id, topic, kind, actor, at, data, cause FROM journal
WHERE cause = :id AND seq <= :upto ORDER BY seq LIMIT :limit;

-- name: journal_topics
-- From one name to the next by the index, so that long topics cost no more than short ones.
WITH RECURSIVE names (topic) AS (
    SELECT (SELECT topic FROM journal WHERE topic >= :first AND topic < :end
            ORDER BY topic LIMIT 1)
    UNION ALL
    SELECT (SELECT journal.topic FROM journal
            WHERE journal.topic > names.topic AND journal.topic < :end
            ORDER BY journal.topic LIMIT 1)
    FROM names WHERE names.topic IS NOT NULL
    LIMIT :limit
)
SELECT names.topic,
       (SELECT count(*) FROM (SELECT 1 FROM journal WHERE journal.topic = names.topic
                              LIMIT :counted)),
       journal.seq, journal.at
FROM names JOIN journal ON journal.seq =
    (SELECT max(newest.seq) FROM journal AS newest WHERE newest.topic = names.topic);
