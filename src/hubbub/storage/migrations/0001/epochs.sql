-- Journals that this one was restored from a copy of: what they held up to seq is held here too,
-- under the same numbers.
CREATE TABLE earlier_epochs (
    epoch TEXT PRIMARY KEY,
    seq   INTEGER NOT NULL
) WITHOUT ROWID;
