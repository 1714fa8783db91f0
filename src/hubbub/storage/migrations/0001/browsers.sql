-- Tickets that open the page once, as digests only.
CREATE TABLE tickets (
    digest     TEXT PRIMARY KEY, -- SHA-256, hex
    scopes     TEXT    NOT NULL, -- separated by blanks
    expires_at INTEGER NOT NULL  -- Unix milliseconds
) WITHOUT ROWID;

-- The tokens that browsers got for them.
CREATE TABLE browsers (
    digest     TEXT PRIMARY KEY, -- SHA-256, hex
    scopes     TEXT    NOT NULL, -- separated by blanks
    created_at INTEGER NOT NULL, -- Unix milliseconds
    used_at    INTEGER NOT NULL  -- Unix milliseconds, as far as it is noted
) WITHOUT ROWID;
