-- Agents' tokens, as digests only.
CREATE TABLE tokens (
    digest     TEXT PRIMARY KEY, -- SHA-256, hex
    agent      TEXT    NOT NULL,
    scopes     TEXT    NOT NULL, -- separated by blanks
    created_at INTEGER NOT NULL  -- Unix milliseconds
) WITHOUT ROWID;
