"""``/api/v1/issues``: the tracker over REST."""

from collections.abc import Sequence
from typing import Any

from hubbub.core.hub import Hub
from hubbub.core.ports import Unit
from hubbub.core.tracker.issue_reads import IssueFilter
from hubbub.core.tracker.issues import Issue
from hubbub.core.tracker.service import CommentDraft, Done, IssueDraft, IssuePatch
from hubbub.dialects.base import Request, Response, Route, json_response
from hubbub.dialects.crosslink.bodies import (
    IssueChange,
    NewBlocker,
    NewComment,
    NewIssue,
    NewLabel,
    act_of,
    body_of,
    number_of,
    query_number,
)
from hubbub.dialects.crosslink.frames import comment_fields, issue_fields, listed
from hubbub.errors import InvalidRequest, NotFound


BASE = "/api/v1/issues"
STATUSES = ("open", "closed", "archived")


class IssueRoutes:
    """Handlers of everything below ``/api/v1/issues``."""

    def __init__(self, hub: Hub) -> None:
        """Serve a hub."""
        self._hub = hub

    def routes(self) -> Sequence[Route]:
        """Give the routes; those with a fixed name stand before ``{id}``."""
        one = f"{BASE}/{{id}}"
        reads = [
            (BASE, self._list),
            (f"{BASE}/blocked", self._blocked),
            (f"{BASE}/ready", self._ready),
            (one, self._get),
            (f"{one}/comments", self._comments),
        ]
        writes = [
            ("POST", BASE, self._create),
            ("PATCH", one, self._update),
            ("DELETE", one, self._delete),
            ("POST", f"{one}/close", self._close),
            ("POST", f"{one}/reopen", self._reopen),
            ("POST", f"{one}/subissue", self._subissue),
            ("POST", f"{one}/comments", self._comment),
            ("POST", f"{one}/labels", self._label),
            ("DELETE", f"{one}/labels/{{label}}", self._unlabel),
            ("POST", f"{one}/block", self._block),
            ("DELETE", f"{one}/block/{{blocker_id}}", self._unblock),
        ]
        return [
            *(Route(method="GET", path=path, handler=handler) for path, handler in reads),
            *(Route(method=method, path=path, handler=handler) for method, path, handler in writes),
        ]

    # -- reading -------------------------------------------------------------------------

    async def _list(self, request: Request) -> Response:
        query = request.query
        search, status = query.get("search"), query.get("status", "all")
        # With a search the original does not look at an unknown status, without one it fails.
        if status not in (*STATUSES, "all"):
            if search is None:
                message = f"status must be one of {', '.join(STATUSES)}, all; not {status!r}"
                raise InvalidRequest(message)
            status = "all"
        wanted = IssueFilter(
            status=None if status == "all" else status,
            label=query.get("label"),
            priority=query.get("priority"),
            search=search,
            parent_id=query_number(request, "parent_id"),
        )
        return _listed(await self._hub.issues.list(wanted))

    async def _blocked(self, request: Request) -> Response:
        return _listed(await self._hub.issues.blocked())

    async def _ready(self, request: Request) -> Response:
        return _listed(await self._hub.issues.ready())

    async def _get(self, request: Request) -> Response:
        return json_response(issue_fields(await self._hub.issues.get(number_of(request, "id"))))

    async def _comments(self, request: Request) -> Response:
        comments = await self._hub.issues.comments(number_of(request, "id"))
        return json_response(listed([comment_fields(comment) for comment in comments]))

    # -- writing -------------------------------------------------------------------------

    async def _create(self, request: Request) -> Response:
        body = body_of(request, NewIssue)
        try:
            return await self._new(request, body, body.parent_id, tell_parent=False)
        except NotFound as error:
            # The original's parent is a foreign key: breaking it is a bad request.
            raise InvalidRequest(str(error)) from None

    async def _subissue(self, request: Request) -> Response:
        parent_id = number_of(request, "id")
        return await self._new(request, body_of(request, NewIssue), parent_id, tell_parent=True)

    async def _new(
        self, request: Request, body: NewIssue, parent_id: int | None, *, tell_parent: bool
    ) -> Response:
        draft = IssueDraft(
            title=body.title,
            description=body.description,
            priority=body.priority or "medium",
            parent_id=parent_id,
        )
        unit = self._hub.tracker.create(act_of(request), draft, tell_parent=tell_parent)
        return await self._issue(unit)

    async def _update(self, request: Request) -> Response:
        issue_id = number_of(request, "id")
        body = body_of(request, IssueChange)
        patch = IssuePatch(title=body.title, description=body.description, priority=body.priority)
        return await self._issue(self._hub.tracker.update(act_of(request), issue_id, patch))

    async def _delete(self, request: Request) -> Response:
        return await self._ok(self._hub.tracker.delete(act_of(request), number_of(request, "id")))

    async def _close(self, request: Request) -> Response:
        unit = self._hub.tracker.close(act_of(request), number_of(request, "id"))
        return await self._issue(unit)

    async def _reopen(self, request: Request) -> Response:
        unit = self._hub.tracker.reopen(act_of(request), number_of(request, "id"))
        return await self._issue(unit)

    async def _comment(self, request: Request) -> Response:
        issue_id = number_of(request, "id")
        body = body_of(request, NewComment)
        draft = CommentDraft(
            content=body.content,
            kind=body.kind or "note",
            trigger_type=body.trigger_type,
            intervention_context=body.intervention_context,
        )
        unit = self._hub.tracker.comment(act_of(request), issue_id, draft)
        return json_response(comment_fields(await self._hub.journal.commit(unit)))

    async def _label(self, request: Request) -> Response:
        issue_id = number_of(request, "id")
        label = body_of(request, NewLabel).label
        return await self._ok(self._hub.tracker.label(act_of(request), issue_id, label))

    async def _unlabel(self, request: Request) -> Response:
        issue_id, label = number_of(request, "id"), request.params["label"]
        return await self._ok(self._hub.tracker.unlabel(act_of(request), issue_id, label))

    async def _block(self, request: Request) -> Response:
        issue_id = number_of(request, "id")
        blocker_id = body_of(request, NewBlocker).blocker_id
        return await self._ok(self._hub.tracker.block(act_of(request), issue_id, blocker_id))

    async def _unblock(self, request: Request) -> Response:
        issue_id, blocker_id = number_of(request, "id"), number_of(request, "blocker_id")
        return await self._ok(self._hub.tracker.unblock(act_of(request), issue_id, blocker_id))

    async def _issue(self, unit: Unit[Issue]) -> Response:
        return json_response(issue_fields(await self._hub.journal.commit(unit)))

    async def _ok(self, unit: Unit[Done]) -> Response:
        return json_response(await self._hub.journal.commit(unit))


def _listed(issues: Sequence[Issue]) -> Response:
    items: list[dict[str, Any]] = [issue_fields(issue) for issue in issues]
    return json_response(listed(items))
