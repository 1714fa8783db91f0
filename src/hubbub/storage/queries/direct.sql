-- name: direct_newest
SELECT seq, at, data FROM journal WHERE topic = :topic ORDER BY seq DESC LIMIT :limit;
