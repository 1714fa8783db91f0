-- Runs: one execution by an agent each, from start to a terminal outcome. "seq" is their order, and
-- the place of their "run.started" in the journal.
CREATE TABLE runs (
    seq                 INTEGER PRIMARY KEY,
    run_id              TEXT    NOT NULL UNIQUE,
    agent               TEXT    NOT NULL,
    client              TEXT    NOT NULL, -- the connection or program that started it
    intent              TEXT    NOT NULL,
    outcome_description TEXT,
    source              TEXT    NOT NULL, -- car, chat, rpc
    session_key         TEXT,             -- of the chat session whose turn it is
    on_disconnect       TEXT    NOT NULL, -- continue, cancel, incomplete
    grace_ms            INTEGER,          -- it waits so long for its agent; NULL: the door's own
    started_at          INTEGER NOT NULL, -- Unix milliseconds
    ended_at            INTEGER,          -- Unix milliseconds
    status              TEXT    NOT NULL, -- in_progress, completed, incomplete, cancelled
    termination         BLOB,             -- JSON; NULL while it is in progress
    turn_count          INTEGER NOT NULL,
    trace_bytes         INTEGER NOT NULL  -- of all turns
);
CREATE INDEX runs_agent ON runs (agent, started_at);
CREATE INDEX runs_started ON runs (started_at);
CREATE INDEX runs_open ON runs (started_at) WHERE status = 'in_progress';

-- Their turns, which are only ever added.
CREATE TABLE run_turns (
    run_id TEXT    NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    idx    INTEGER NOT NULL, -- from 0, without holes
    turn   BLOB    NOT NULL, -- JSON
    PRIMARY KEY (run_id, idx)
) WITHOUT ROWID;
