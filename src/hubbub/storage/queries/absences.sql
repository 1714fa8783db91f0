-- name: absence_get
SELECT seq, at FROM absences WHERE door = :door AND identity = :identity;

-- name: absence_put
INSERT INTO absences (door, identity, seq, at)
VALUES (:door, :identity, :seq, :at)
ON CONFLICT (door, identity) DO UPDATE SET seq = excluded.seq, at = excluded.at;

-- name: absence_of_the_cut_off
-- Those who were connected when the last daemon ended.
UPDATE absences SET seq = :seq, at = :at WHERE seq IS NULL;

-- name: absence_forget
DELETE FROM absences WHERE seq IS NOT NULL AND at < :before;

-- name: absence_count
SELECT count(*) FROM absences;

-- name: absence_evict
DELETE FROM absences WHERE (door, identity) IN (
    SELECT door, identity FROM absences WHERE seq IS NOT NULL ORDER BY at LIMIT :count
);
