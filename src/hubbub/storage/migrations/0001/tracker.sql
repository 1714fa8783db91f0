-- Times are Unix milliseconds. Numbers of deleted issues are never used again.
CREATE TABLE issues (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    title       TEXT    NOT NULL,
    description TEXT,
    status      TEXT    NOT NULL,
    priority    TEXT    NOT NULL,
    parent_id   INTEGER REFERENCES issues (id),
    created_by  TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    closed_at   INTEGER
);
CREATE INDEX issues_parent ON issues (parent_id);

CREATE TABLE issue_comments (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    issue_id             INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    content              TEXT    NOT NULL,
    kind                 TEXT    NOT NULL,
    author               TEXT    NOT NULL,
    trigger_type         TEXT,
    intervention_context TEXT,
    created_at           INTEGER NOT NULL
);
CREATE INDEX issue_comments_issue ON issue_comments (issue_id, id);

CREATE TABLE issue_labels (
    issue_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    label    TEXT    NOT NULL,
    PRIMARY KEY (issue_id, label)
) WITHOUT ROWID;

CREATE TABLE issue_blockers (
    blocked_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    blocker_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    PRIMARY KEY (blocked_id, blocker_id)
) WITHOUT ROWID;
CREATE INDEX issue_blockers_blocker ON issue_blockers (blocker_id);
