-- One row per issue that was ever locked: it stays, because its fence may only grow.
CREATE TABLE locks (
    issue_id   INTEGER PRIMARY KEY,
    fence      INTEGER NOT NULL, -- number of the newest grant
    holder     TEXT,             -- NULL: free
    claimed_at INTEGER NOT NULL, -- Unix milliseconds
    expires_at INTEGER NOT NULL  -- Unix milliseconds; void from this instant on
);
CREATE INDEX locks_expiry ON locks (expires_at) WHERE holder IS NOT NULL;
