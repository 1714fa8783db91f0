-- Times are Unix milliseconds. Numbers of deleted issues are never used again.
CREATE TABLE issues (
    id          INTEGER PRIMARY KEY,
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
-- Only of subissues: a page less to write for every other.
CREATE INDEX issues_parent ON issues (parent_id) WHERE parent_id IS NOT NULL;

-- The highest number of each kind when something was last deleted. AUTOINCREMENT keeps the same
-- on every insert, which is a page more to write each time.
CREATE TABLE deleted_numbers (
    kind   TEXT PRIMARY KEY, -- issue, comment
    number INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE issue_comments (
    id                   INTEGER PRIMARY KEY,
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
