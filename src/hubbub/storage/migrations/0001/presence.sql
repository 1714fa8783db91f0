-- Who was last heard, when; memory holds the same while the daemon runs.
CREATE TABLE presence (
    agent           TEXT PRIMARY KEY,
    status          TEXT    NOT NULL,
    last_heartbeat  INTEGER NOT NULL, -- Unix milliseconds
    active_issue_id INTEGER,
    machine_id      TEXT    NOT NULL,
    doors           TEXT    NOT NULL, -- JSON array: the door of each open connection
    known           INTEGER NOT NULL  -- 1: an event has told of it
) WITHOUT ROWID;
