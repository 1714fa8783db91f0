-- Who waits for a lock (issue_id) or for paths (wanted); emptied when the daemon starts, for
-- their connections are gone.
CREATE TABLE waiting (
    place    INTEGER PRIMARY KEY AUTOINCREMENT, -- order of the queue
    ticket   TEXT    NOT NULL UNIQUE,
    agent    TEXT    NOT NULL,
    actor    TEXT    NOT NULL,    -- principal that asked
    issue_id INTEGER,             -- NULL: waits for paths
    wanted   TEXT,                -- JSON; what is to be reserved
    held_by  TEXT,                -- JSON array: for whom, when the wait began
    lease_ms INTEGER NOT NULL,
    until    INTEGER NOT NULL     -- lease time in milliseconds; the wait is over from then on
);
CREATE INDEX waiting_issue ON waiting (issue_id, place);
