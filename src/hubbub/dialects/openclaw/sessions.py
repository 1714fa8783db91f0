"""``sessions.*``: list, look into, change, reset and delete conversations."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from hubbub.core.chat.conversation import SessionFilter
from hubbub.dialects.openclaw import rows
from hubbub.dialects.openclaw.frames import Count, Name, Params, Positive, Refused
from hubbub.dialects.openclaw.methods import Method, Request
from hubbub.dialects.openclaw.room import Room
from hubbub.errors import NotFound


MAX_PREVIEW_KEYS = 64
MAX_PREVIEW_ITEMS = 50
MAX_PREVIEW_CHARACTERS = 2000
MAX_LABEL_CHARACTERS = 64

Label = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LABEL_CHARACTERS)]
Text = str | msgspec.UnsetType | None
"""A field that may be set, cleared by ``null``, or left alone."""


class List(Params, frozen=True):
    """Parameters of ``sessions.list``."""

    limit: Positive | None = None
    active_minutes: Positive | None = None
    include_global: bool = False
    include_unknown: bool = False
    include_derived_titles: bool = False
    include_last_message: bool = False
    label: Name | None = None
    spawned_by: Name | None = None
    agent_id: Name | None = None
    search: str | None = None


class Preview(Params, frozen=True):
    """Parameters of ``sessions.preview``."""

    keys: Annotated[list[Name], msgspec.Meta(min_length=1)]
    limit: Positive = 12
    max_chars: Annotated[int, msgspec.Meta(ge=20)] = 240


class Resolve(Params, frozen=True):
    """Parameters of ``sessions.resolve``: exactly one of the first three."""

    key: Name | None = None
    session_id: Name | None = None
    label: Name | None = None
    agent_id: Name | None = None
    spawned_by: Name | None = None
    include_global: bool = True
    include_unknown: bool = True


class Patch(Params, frozen=True):
    """Parameters of ``sessions.patch``."""

    key: Name
    label: Label | msgspec.UnsetType | None = msgspec.UNSET
    thinking_level: Text = msgspec.UNSET
    verbose_level: Text = msgspec.UNSET
    reasoning_level: Text = msgspec.UNSET
    response_usage: Text = msgspec.UNSET
    elevated_level: Text = msgspec.UNSET
    exec_host: Text = msgspec.UNSET
    exec_security: Text = msgspec.UNSET
    exec_ask: Text = msgspec.UNSET
    exec_node: Text = msgspec.UNSET
    model: Text = msgspec.UNSET
    spawned_by: Text = msgspec.UNSET
    send_policy: Text = msgspec.UNSET
    group_activation: Text = msgspec.UNSET
    idempotency_key: Name | None = None
    """Ours, as of all that change something without a key of the protocol's own."""
    multitask_strategy: Text = msgspec.UNSET
    """Ours: what a message does while a turn of the session is open."""


class Reset(Params, frozen=True):
    """Parameters of ``sessions.reset``."""

    key: Name
    idempotency_key: Name | None = None


class Delete(Params, frozen=True):
    """Parameters of ``sessions.delete``."""

    key: Name
    delete_transcript: bool = True
    timeout_ms: Count | None = None
    idempotency_key: Name | None = None


class Sessions:
    """The methods."""

    def __init__(self, room: Room, defaults: Mapping[str, Any]) -> None:
        """Work on the room's hub.

        Args:
            defaults: Model that a session has where it says nothing.
        """
        self._clock = room.hub.clock
        self._sessions = room.hub.chat.sessions
        self._defaults = defaults

    def methods(self) -> Sequence[Method]:
        """Give the rows of the method table."""
        return [
            Method(name="sessions.list", params=List, run=self.list, is_large=True),
            Method(name="sessions.preview", params=Preview, run=self.preview, is_large=True),
            Method(name="sessions.resolve", params=Resolve, run=self.resolve),
            Method(name="sessions.patch", params=Patch, run=self.patch),
            Method(name="sessions.reset", params=Reset, run=self.reset),
            Method(name="sessions.delete", params=Delete, run=self.delete),
        ]

    async def list(self, request: Request, params: List) -> object:
        """List sessions, the one that changed last first."""
        found = await self._sessions.list(
            SessionFilter(
                limit=params.limit,
                active_minutes=params.active_minutes,
                include_global=params.include_global,
                include_unknown=params.include_unknown,
                label=params.label,
                spawned_by=params.spawned_by,
                agent=params.agent_id,
                search=params.search,
                edges=params.include_derived_titles or params.include_last_message,
            )
        )
        shown = [
            rows.row(
                session,
                with_title=params.include_derived_titles,
                with_last=params.include_last_message,
            )
            for session in found
        ]
        return {
            "ts": self._clock(),
            "path": rows.PATH,
            "count": len(shown),
            "defaults": self._defaults,
            "sessions": shown,
        }

    async def preview(self, request: Request, params: Preview) -> object:
        """Give the ends of conversations as short texts; what is over a cap is cut."""
        previews = await self._sessions.preview(
            params.keys[:MAX_PREVIEW_KEYS],
            limit=min(params.limit, MAX_PREVIEW_ITEMS),
            max_chars=min(params.max_chars, MAX_PREVIEW_CHARACTERS),
        )
        return {"ts": self._clock(), "previews": previews}

    async def resolve(self, request: Request, params: Resolve) -> object:
        """Find the canonical key of a session."""
        try:
            key = await self._sessions.resolve(
                session_key=params.key,
                session_id=params.session_id,
                label=params.label,
                agent=params.agent_id,
                spawned_by=params.spawned_by,
            )
        except NotFound as error:
            message = f"No session found: {error.name}"
            raise Refused(message) from None
        return {"ok": True, "key": key}

    async def patch(self, request: Request, params: Patch) -> object:
        """Change fields of a session; ``null`` clears."""
        changes = msgspec.to_builtins(params)
        session = await self._sessions.patch(
            request.principal,
            changes.pop("key"),
            changes,
            key=changes.pop("idempotencyKey"),
        )
        return {"ok": True, "path": rows.PATH, "key": session.key, "entry": session.entry()}

    async def reset(self, request: Request, params: Reset) -> object:
        """Begin a new conversation under a session's key."""
        session = await self._sessions.reset(
            request.principal, params.key, key=params.idempotency_key
        )
        return {"ok": True, "key": session.key, "entry": session.entry()}

    async def delete(self, request: Request, params: Delete) -> object:
        """Delete a session; what runs in it is aborted."""
        deleted = await self._sessions.delete(
            request.principal,
            params.key,
            delete_transcript=params.delete_transcript,
            key=params.idempotency_key,
        )
        # Transcripts stand in the store: there is no file that could be archived.
        return {"ok": True, "key": params.key, "deleted": deleted, "archived": []}
