-- Conversations. What is not asked for by name lives in the JSON of "fields".
CREATE TABLE chat_sessions (
    session_key TEXT PRIMARY KEY,
    agent       TEXT    NOT NULL,
    session_id  TEXT    NOT NULL, -- of its present transcript
    updated_at  INTEGER NOT NULL, -- Unix milliseconds
    label       TEXT,
    fields      BLOB    NOT NULL  -- JSON object
) WITHOUT ROWID;
CREATE INDEX chat_sessions_label ON chat_sessions (label) WHERE label IS NOT NULL;
CREATE INDEX chat_sessions_id ON chat_sessions (session_id);

-- Their messages. An answer has the place of its question, so that it stands below it.
CREATE TABLE chat_messages (
    seq        INTEGER PRIMARY KEY,
    session_id TEXT    NOT NULL,
    place      INTEGER NOT NULL,
    message_id TEXT    NOT NULL,
    run_id     TEXT,             -- whose question or answer it is; NULL: put in, or imported
    origin     TEXT,             -- where an import has it from
    role       TEXT    NOT NULL,
    bytes      INTEGER NOT NULL, -- of the message
    message    BLOB    NOT NULL  -- JSON
);
CREATE UNIQUE INDEX chat_messages_id ON chat_messages (session_id, message_id);
CREATE UNIQUE INDEX chat_messages_origin ON chat_messages (session_id, origin)
    WHERE origin IS NOT NULL;
CREATE INDEX chat_messages_place ON chat_messages (session_id, place, seq, bytes);

-- One row for each message that was sent to an agent: its key, and what became of it.
CREATE TABLE chat_turns (
    run_id      TEXT PRIMARY KEY, -- the sender's idempotency key
    caller      TEXT    NOT NULL,
    digest      BLOB    NOT NULL, -- of the request
    session_key TEXT    NOT NULL,
    session_id  TEXT    NOT NULL,
    spelling    TEXT    NOT NULL, -- the session key as the sender wrote it
    agent       TEXT    NOT NULL,
    place       INTEGER NOT NULL, -- seq of the user's message
    thinking    TEXT,
    timeout_ms  INTEGER,
    state       TEXT    NOT NULL, -- accepted, started, ok, error, aborted
    error       TEXT,
    cause       TEXT    NOT NULL, -- id of its newest event
    accepted_at INTEGER NOT NULL, -- Unix milliseconds
    ended_at    INTEGER           -- Unix milliseconds
) WITHOUT ROWID;
CREATE INDEX chat_turns_open ON chat_turns (session_key, place)
    WHERE state IN ('accepted', 'started');

CREATE INDEX chat_turns_ended ON chat_turns (ended_at) WHERE ended_at IS NOT NULL;

-- Transcripts that were taken over from elsewhere, and where they went.
CREATE TABLE chat_imports (
    session_key TEXT NOT NULL,
    source_id   TEXT NOT NULL, -- session id at the source
    session_id  TEXT NOT NULL, -- transcript here
    PRIMARY KEY (session_key, source_id)
) WITHOUT ROWID;
