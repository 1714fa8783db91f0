"""Types of `issues`.

Written by `python -m scripts.write_client`.
"""

from typing import Literal

import msgspec


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """One comment on an issue."""

    id: int
    issue_id: int
    content: str
    kind: Literal[
        "note",
        "plan",
        "decision",
        "observation",
        "blocker",
        "resolution",
        "result",
        "handoff",
        "human",
        "intervention",
        "system",
    ]
    author: str
    """Id of the principal that wrote it."""
    trigger_type: str | None
    """What made a person intervene; only with kind ``intervention``."""
    intervention_context: str | None
    created_at: int
    """Unix milliseconds."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The change was made, or had been made before."""

    ok: bool = True


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One issue; times are Unix milliseconds."""

    id: int
    title: str
    description: str | None
    status: Literal["open", "closed", "archived"]
    priority: Literal["low", "medium", "high", "critical"]
    parent_id: int | None
    created_at: int
    updated_at: int
    closed_at: int | None


class IssueDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An issue with everything that hangs on it."""

    id: int
    title: str
    description: str | None
    status: Literal["open", "closed", "archived"]
    priority: Literal["low", "medium", "high", "critical"]
    parent_id: int | None
    created_at: int
    updated_at: int
    closed_at: int | None
    labels: list[str]
    comments: list[Comment]
    """Oldest first."""
    blockers: list[int]
    """Issues that block this one."""
    blocking: list[int]
    """Issues that this one blocks."""
    subissues: list[Issue]


class Issues(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``issues.ready`` and ``issues.blocked``."""

    issues: list[Issue]


class ListedIssue(msgspec.Struct, frozen=True, kw_only=True):
    """An issue as a list shows it."""

    id: int
    title: str
    description: str | None
    status: Literal["open", "closed", "archived"]
    priority: Literal["low", "medium", "high", "critical"]
    parent_id: int | None
    created_at: int
    updated_at: int
    closed_at: int | None
    labels: list[str]
    """Sorted."""
    blocker_count: int
    """All blockers, closed ones too."""


class ListedIssues(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``issues.list``."""

    issues: list[ListedIssue]
