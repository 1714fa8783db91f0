-- Numbers are never used again: they are the fences of reservations.
CREATE TABLE reservations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    agent      TEXT    NOT NULL,
    paths      TEXT    NOT NULL, -- JSON array of globs, sorted
    mode       TEXT    NOT NULL, -- exclusive, shared
    reason     TEXT    NOT NULL,
    claimed_at INTEGER NOT NULL, -- Unix milliseconds
    expires_at INTEGER NOT NULL  -- Unix milliseconds; void from this instant on
);
CREATE INDEX reservations_expiry ON reservations (expires_at);
