CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- All events of this daemon, in one order.
CREATE TABLE journal (
    seq   INTEGER PRIMARY KEY,
    id    TEXT    NOT NULL,
    topic TEXT    NOT NULL,
    kind  TEXT    NOT NULL,
    actor TEXT    NOT NULL,
    at    INTEGER NOT NULL, -- Unix milliseconds
    data  BLOB    NOT NULL, -- compact JSON
    cause TEXT
);
CREATE INDEX journal_topic ON journal (topic, seq);
-- Ids begin with the time, so new ones go to the end of their index.
CREATE INDEX journal_id ON journal (id);
CREATE INDEX journal_cause ON journal (cause, seq) WHERE cause IS NOT NULL;

-- What retention has cut: the highest seq that each topic lost.
CREATE TABLE trimmed (
    topic TEXT PRIMARY KEY,
    seq   INTEGER NOT NULL
) WITHOUT ROWID;

-- Answers to requests that carried an idempotency key.
CREATE TABLE idempotency (
    caller TEXT    NOT NULL,
    key    TEXT    NOT NULL,
    digest BLOB    NOT NULL, -- of the request
    result BLOB    NOT NULL, -- JSON
    at     INTEGER NOT NULL, -- Unix milliseconds
    PRIMARY KEY (caller, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency (at);
