-- name: epochs_earlier
SELECT epoch, seq FROM earlier_epochs;

-- name: epochs_close
-- The journal ends here under its epoch; what follows is written under another.
INSERT INTO earlier_epochs (epoch, seq)
SELECT value, :seq FROM meta WHERE name = 'epoch';

-- name: epochs_raise_fences
-- Above every number that may have been granted after the copy was made.
INSERT INTO meta (name, value)
SELECT 'fence_floor', CAST(:step + max(
    coalesce((SELECT max(fence) FROM locks), 0),
    coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'fence_floor'), 0)
) AS TEXT)
WHERE true
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: epochs_count_reservations
-- SQLite notes the highest number of a table only after its first row.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'reservations', 0
WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'reservations');

-- name: epochs_raise_reservations
UPDATE sqlite_sequence SET seq = seq + :step WHERE name = 'reservations';
