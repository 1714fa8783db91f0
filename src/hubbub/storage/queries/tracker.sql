-- name: issue_get
SELECT id, title, description, status, priority, parent_id, created_at, updated_at, closed_at
FROM issues WHERE id = :id;

-- name: issue_row
-- An issue as the room shows it: without its description.
SELECT
    id, title, NULL, status, priority, parent_id, created_at, updated_at, closed_at,
    (SELECT json_group_array(label) FROM issue_labels WHERE issue_id = issues.id),
    (SELECT json_group_array(blocker_id) FROM issue_blockers WHERE blocked_id = issues.id)
FROM issues WHERE id = :id;

-- name: issue_rows
SELECT
    id, title, NULL, status, priority, parent_id, created_at, updated_at, closed_at,
    (SELECT json_group_array(label) FROM issue_labels WHERE issue_id = issues.id),
    (SELECT json_group_array(blocker_id) FROM issue_blockers WHERE blocked_id = issues.id)
FROM issues ORDER BY id DESC;

-- name: issue_exists
SELECT 1 FROM issues WHERE id = :id;

-- name: issue_add
-- Gives no row where there is no such parent.
INSERT INTO issues
    (id, title, description, status, priority, parent_id, created_by, created_at, updated_at)
SELECT
    1 + max(
        coalesce((SELECT max(id) FROM issues), 0),
        coalesce((SELECT number FROM deleted_numbers WHERE kind = 'issue'), 0)),
    :title, :description, 'open', :priority, :parent_id, :created_by, :now, :now
WHERE :parent_id IS NULL OR EXISTS (SELECT 1 FROM issues WHERE id = :parent_id)
RETURNING id;

-- name: issue_patch
-- What is NULL stays as it is.
UPDATE issues SET
    title = coalesce(:title, title),
    description = coalesce(:description, description),
    priority = coalesce(:priority, priority),
    updated_at = :now
WHERE id = :id
RETURNING
    id, title, description, status, priority, parent_id, created_at, updated_at, closed_at,
    (SELECT json_group_array(label) FROM issue_labels WHERE issue_id = issues.id),
    (SELECT json_group_array(blocker_id) FROM issue_blockers WHERE blocked_id = issues.id);

-- name: issue_status
UPDATE issues SET status = :status, closed_at = :closed_at, updated_at = :now WHERE id = :id
RETURNING
    id, title, description, status, priority, parent_id, created_at, updated_at, closed_at,
    (SELECT json_group_array(label) FROM issue_labels WHERE issue_id = issues.id),
    (SELECT json_group_array(blocker_id) FROM issue_blockers WHERE blocked_id = issues.id);

-- name: issue_tree
-- An issue and everything below it.
WITH RECURSIVE tree (id) AS (
    SELECT :id
    UNION
    SELECT issues.id FROM issues JOIN tree ON issues.parent_id = tree.id
)
SELECT id FROM tree;

-- name: issue_freed_by_tree
-- What waits for an issue, or for one below it, and is not below it.
WITH RECURSIVE tree (id) AS (
    SELECT :id
    UNION
    SELECT issues.id FROM issues JOIN tree ON issues.parent_id = tree.id
)
SELECT DISTINCT blocked_id FROM issue_blockers
WHERE blocker_id IN (SELECT id FROM tree) AND blocked_id NOT IN (SELECT id FROM tree)
ORDER BY blocked_id;

-- name: issue_numbers_keep
-- Before a deletion: no number that is in use may ever be given again.
INSERT INTO deleted_numbers (kind, number)
SELECT 'issue', max(id) FROM issues
UNION ALL SELECT 'comment', max(id) FROM issue_comments HAVING max(id) IS NOT NULL
ON CONFLICT (kind) DO UPDATE SET number = max(number, excluded.number);

-- name: issue_delete
-- In one statement, so that no trigger has to go down level by level.
WITH RECURSIVE tree (id) AS (
    SELECT :id
    UNION
    SELECT issues.id FROM issues JOIN tree ON issues.parent_id = tree.id
)
DELETE FROM issues WHERE id IN (SELECT id FROM tree);

-- name: issue_list
-- Newest first; a filter that is NULL lets everything through.
SELECT
    id, title, description, status, priority, parent_id, created_at, updated_at, closed_at,
    (SELECT json_group_array(label) FROM issue_labels WHERE issue_id = issues.id),
    (SELECT count(*) FROM issue_blockers WHERE blocked_id = issues.id)
FROM issues
WHERE (:status IS NULL OR status = :status)
    AND (:priority IS NULL OR priority = :priority)
    AND (:parent_id IS NULL OR parent_id = :parent_id)
    AND (:label IS NULL OR EXISTS (
        SELECT 1 FROM issue_labels WHERE issue_id = issues.id AND label = :label))
    AND (:search IS NULL
        OR title LIKE :search ESCAPE '\'
        OR description LIKE :search ESCAPE '\'
        OR EXISTS (
            SELECT 1 FROM issue_comments
            WHERE issue_id = issues.id AND content LIKE :search ESCAPE '\'))
ORDER BY id DESC;

-- name: issue_open
-- Open issues that an open issue blocks (:blocked is 1), or that none does (0).
SELECT id, title, description, status, priority, parent_id, created_at, updated_at, closed_at
FROM issues
WHERE status = 'open' AND :blocked = EXISTS (
    SELECT 1 FROM issue_blockers JOIN issues AS blocker ON blocker.id = blocker_id
    WHERE blocked_id = issues.id AND blocker.status = 'open')
ORDER BY id;

-- name: issue_children
SELECT id, title, description, status, priority, parent_id, created_at, updated_at, closed_at
FROM issues WHERE parent_id = :id ORDER BY id;

-- name: issue_comment_add
-- Gives no row where there is no such issue.
INSERT INTO issue_comments
    (id, issue_id, content, kind, author, trigger_type, intervention_context, created_at)
SELECT
    1 + max(
        coalesce((SELECT max(id) FROM issue_comments), 0),
        coalesce((SELECT number FROM deleted_numbers WHERE kind = 'comment'), 0)),
    id, :content, :kind, :author, :trigger_type, :intervention_context, :created_at
FROM issues WHERE id = :issue_id
RETURNING id;

-- name: issue_comments
SELECT id, issue_id, content, kind, author, trigger_type, intervention_context, created_at
FROM issue_comments WHERE issue_id = :id ORDER BY id;

-- name: issue_labels
SELECT label FROM issue_labels WHERE issue_id = :id ORDER BY label;

-- name: issue_label_add
-- Changes nothing where there is no such issue, too.
INSERT INTO issue_labels (issue_id, label)
SELECT id, :label FROM issues WHERE id = :id
ON CONFLICT DO NOTHING;

-- name: issue_label_remove
DELETE FROM issue_labels WHERE issue_id = :id AND label = :label;

-- name: issue_blockers
SELECT blocker_id FROM issue_blockers WHERE blocked_id = :id ORDER BY blocker_id;

-- name: issue_blocking
SELECT blocked_id FROM issue_blockers WHERE blocker_id = :id ORDER BY blocked_id;

-- name: issue_blocker_add
INSERT INTO issue_blockers (blocked_id, blocker_id) VALUES (:id, :blocker_id)
ON CONFLICT DO NOTHING;

-- name: issue_blocker_remove
DELETE FROM issue_blockers WHERE blocked_id = :id AND blocker_id = :blocker_id;

-- name: issue_waits_for
-- One row if the issue waits for the other, however indirectly.
WITH RECURSIVE awaited (id) AS (
    SELECT blocker_id FROM issue_blockers WHERE blocked_id = :id
    UNION
    SELECT blocker_id FROM issue_blockers JOIN awaited ON blocked_id = awaited.id
)
SELECT 1 FROM awaited WHERE id = :other_id;
