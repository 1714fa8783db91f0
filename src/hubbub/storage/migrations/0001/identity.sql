-- Names that have been shown under an id; keys are derived from the daemon's own, not kept.
CREATE TABLE identities (
    agent_id TEXT PRIMARY KEY, -- 64 hex characters
    name     TEXT    NOT NULL,
    root     TEXT    NOT NULL, -- id of the daemon under whose key it was made
    at       INTEGER NOT NULL  -- Unix milliseconds
) WITHOUT ROWID;
