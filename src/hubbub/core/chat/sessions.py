"""Conversations as things to list, name, reset and delete."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hubbub.core.chat import session_table
from hubbub.core.chat.conversation import Preview, PreviewItem, Session, SessionFilter, SessionRow
from hubbub.core.chat.messages import role_of, shorten, text_of
from hubbub.core.chat.session_fields import after_reset, patched
from hubbub.core.chat.session_keys import agent_id, canonical, main_key
from hubbub.core.chat.transcript import Transcript
from hubbub.core.chat.turn_table import TurnTable
from hubbub.core.idempotency import digest, once
from hubbub.core.journal import Journal
from hubbub.core.ports import Store, Transaction
from hubbub.core.values import Clock, IdSource, Principal
from hubbub.errors import InvalidRequest, NotFound


MAX_PREVIEW_KEYS = 64
"""Sessions in one preview at most."""
MAX_PREVIEW_ITEMS = 50
"""Messages of one session in a preview at most."""
MAX_PREVIEW_CHARACTERS = 2000
"""Characters of one message in a preview at most."""
MIN_PREVIEW_CHARACTERS = 20
"""Smallest cut that a preview may ask for."""
PREVIEW_READ_BYTES = 1024 * 1024
"""Bytes of messages that are read for the preview of one session at most."""


class Sessions:
    """The verbs on sessions; reach them as ``hub.chat.sessions``."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        *,
        table: TurnTable,
        transcript: Transcript,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        """Write through a journal, read from its store."""
        self._journal = journal
        self._store = store
        self._table = table
        self._transcript = transcript
        self._clock = clock
        self._ids = ids

    async def get(self, session_key: str) -> Session | None:
        """Give one session; ``None`` if it does not exist.

        Raises:
            InvalidRequest: The key has no usable form.
        """
        rows = await self._store.rows("chat_session_get", session_key=canonical(session_key))
        return session_table.session_of(rows[0]) if rows else None

    async def preview(
        self, session_keys: Sequence[str], *, limit: int = 12, max_chars: int = 240
    ) -> list[Preview]:
        """Give the end of each conversation, as short texts; oldest first.

        Args:
            session_keys: 1 to 64, in any spelling.
            limit: Messages of each, 1 to 50.
            max_chars: Characters of each message, 20 to 2,000; longer ones end in ``…``.

        Raises:
            InvalidRequest: A number is out of range.
        """
        _within("keys", len(session_keys), 1, MAX_PREVIEW_KEYS)
        _within("limit", limit, 1, MAX_PREVIEW_ITEMS)
        _within("maxChars", max_chars, MIN_PREVIEW_CHARACTERS, MAX_PREVIEW_CHARACTERS)
        return [await self._preview(key, limit, max_chars) for key in session_keys]

    async def _preview(self, key: str, limit: int, max_chars: int) -> Preview:
        session = await self.get(key)
        if session is None:
            return Preview(key, "missing")
        messages = await self._transcript.newest(
            session.session_id, limit=limit, max_bytes=PREVIEW_READ_BYTES
        )
        decoded = [msgspec.json.decode(message) for message in messages]
        texts = [(role_of(message), shorten(text_of(message), max_chars)) for message in decoded]
        items = tuple(PreviewItem(role, text) for role, text in texts if text)
        return Preview(key, "ok" if items else "empty", items)

    async def resolve(
        self,
        *,
        session_key: str | None = None,
        session_id: str | None = None,
        label: str | None = None,
        agent: str | None = None,
        spawned_by: str | None = None,
    ) -> str:
        """Find the canonical key of a session, by exactly one of the first three.

        Raises:
            InvalidRequest: None or several of the three are given.
            NotFound: ``NotFound("session", …)``: no session matches.
        """
        names = [name for name in (session_key, session_id, label) if name is not None]
        if len(names) != 1:
            message = "provide exactly one of key, sessionId and label"
            raise InvalidRequest(message)
        key = None if session_key is None else canonical(session_key)
        rows = await self.list(SessionFilter(label=label, agent=agent, spawned_by=spawned_by))
        for row in rows:
            session = row.session
            if key in (None, session.key) and session_id in (None, session.session_id):
                return session.key
        raise NotFound("session", names[0])

    async def patch(
        self,
        caller: Principal,
        session_key: str,
        changes: Mapping[str, Any],
        *,
        key: str | None = None,
    ) -> Session:
        """Change fields of a session's entry; makes the session where it is missing.

        Args:
            changes: New values under the entry's own names: ``label``, ``thinkingLevel``,
                ``verboseLevel``, ``reasoningLevel``, ``responseUsage``, ``elevatedLevel``,
                ``execHost``, ``execSecurity``, ``execAsk``, ``execNode``, ``model``,
                ``spawnedBy``, ``sendPolicy``, ``groupActivation``, ``multitaskStrategy``.
                ``None`` clears. ``model`` (``provider/name`` or ``name``) is stored as
                ``providerOverride`` and ``modelOverride``.
            key: Idempotency key.

        Raises:
            InvalidRequest: ``invalid thinkingLevel (use off|minimal|…)`` and its kin;
                ``label already in use: x``; an unknown field.
            IdempotencyConflict: The key was used for another request.
            Forbidden: The caller may not write.
        """
        caller.require("write")
        name = canonical(session_key)

        def patch(tx: Transaction) -> Session:
            session = self._found_in(tx, name)
            fields = patched(session.fields, changes)
            label = fields.get("label")
            if label is not None and session_table.label_is_used_in(tx, label, but_by=name):
                message = f"label already in use: {label}"
                raise InvalidRequest(message)
            session = msgspec.structs.replace(session, updated_at=self._clock(), fields=fields)
            session_table.put_in(tx, session)
            session_table.tell_in(tx, session, "patched", actor=caller.id)
            return session

        request = digest("chat.session_patch", name, msgspec.json.encode(changes, order="sorted"))
        return await self._journal.commit(
            once(patch, caller=caller, key=key, request=request, result=Session, clock=self._clock)
        )

    async def reset(
        self, caller: Principal, session_key: str, *, key: str | None = None
    ) -> Session:
        """Begin a new, empty conversation under a session's key.

        Running turns are aborted (reason ``rpc``). The old transcript is kept under its own
        session id. Label, levels, model and routing stay, token counts begin at 0. A session
        that does not exist is made.

        Raises: as ``patch``.
        """
        caller.require("write")
        name = canonical(session_key)

        def reset(tx: Transaction) -> Session:
            self._table.abort_in(tx, name, None, "rpc", actor=caller.id)
            session = self._found_in(tx, name)
            fields = after_reset(session.fields)
            session = session_table.new_session(name, self._ids(), fields, at=self._clock())
            session_table.put_in(tx, session)
            session_table.tell_in(tx, session, "reset", actor=caller.id)
            return session

        request = digest("chat.session_reset", name)
        return await self._journal.commit(
            once(reset, caller=caller, key=key, request=request, result=Session, clock=self._clock)
        )

    async def delete(
        self,
        caller: Principal,
        session_key: str,
        *,
        delete_transcript: bool = True,
        key: str | None = None,
    ) -> bool:
        """Delete a session; false: there was none. Running turns are aborted (``rpc``).

        Raises:
            InvalidRequest: ``Cannot delete the main session (agent:main:main).``
            IdempotencyConflict, Forbidden: as ``patch``.
        """
        caller.require("write")
        name = canonical(session_key)
        if name == main_key():
            message = f"Cannot delete the main session ({name})."
            raise InvalidRequest(message)

        def delete(tx: Transaction) -> bool:
            session = session_table.find_in(tx, name)
            if session is None:
                return False
            self._table.abort_in(tx, name, None, "rpc", actor=caller.id)
            session_table.delete_in(tx, session, with_transcript=delete_transcript, actor=caller.id)
            return True

        request = digest("chat.session_delete", name, str(delete_transcript))
        return await self._journal.commit(
            once(delete, caller=caller, key=key, request=request, result=bool, clock=self._clock)
        )

    async def list(self, wanted: SessionFilter) -> list[SessionRow]:
        """Give sessions, the one that changed last first."""
        since = None
        if wanted.active_minutes is not None:
            since = self._clock() - wanted.active_minutes * 60_000
        rows = await self._store.rows("chat_session_all")
        sessions = [
            session
            for session in map(session_table.session_of, rows)
            if _matches(session, wanted) and (since is None or session.updated_at >= since)
        ][: wanted.limit]
        if not wanted.edges:
            return [SessionRow(session=session) for session in sessions]
        ids = msgspec.json.encode([session.session_id for session in sessions]).decode()
        edges = {
            row[0]: row[1:] for row in await self._store.rows("chat_session_edges", session_ids=ids)
        }
        return [
            SessionRow(
                session=session,
                first_user=_raw(edges[session.session_id][0]),
                last=_raw(edges[session.session_id][1]),
            )
            for session in sessions
        ]

    def _found_in(self, tx: Transaction, key: str) -> Session:
        """Give a session as it stands, or a new one that is not stored yet."""
        session = session_table.find_in(tx, key)
        return session or session_table.new_session(key, self._ids(), {}, at=self._clock())


def _matches(session: Session, wanted: SessionFilter) -> bool:
    fields = session.fields
    if (session.key == "global" and not wanted.include_global) or (
        session.key == "unknown" and not wanted.include_unknown
    ):
        return False
    if wanted.agent is not None and session.agent != agent_id(wanted.agent):
        return False
    if wanted.label is not None and fields.get("label") != wanted.label:
        return False
    if wanted.spawned_by is not None and fields.get("spawnedBy") != wanted.spawned_by:
        return False
    return wanted.search is None or _mentions(session, wanted.search.strip().lower())


def _mentions(session: Session, text: str) -> bool:
    names = (session.fields.get(name) for name in ("label", "displayName", "subject"))
    return any(
        text in str(name or "").lower() for name in (session.key, session.session_id, *names)
    )


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        message = f"{name} must be from {least} to {most}"
        raise InvalidRequest(message)


def _raw(message: bytes | None) -> msgspec.Raw | None:
    return None if message is None else msgspec.Raw(message)
