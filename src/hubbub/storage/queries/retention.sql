-- name: retention_sizes
-- Bytes of data that each topic holds.
SELECT topic, sum(length(data)) FROM journal WHERE seq <= :upto GROUP BY topic;

-- name: retention_page
SELECT seq, topic, length(data), at FROM journal
WHERE seq > :after AND seq <= :upto ORDER BY seq LIMIT :limit;

-- name: retention_cut
DELETE FROM journal WHERE seq IN (SELECT value FROM json_each(:seqs));
