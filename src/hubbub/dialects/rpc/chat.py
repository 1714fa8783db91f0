"""``chat.*``: talk to agents, and manage the conversations; follow them as ``chat/<key>``."""

from typing import Any

import msgspec

from hubbub.core.chat.conversation import (
    Attachment,
    Imported,
    ImportRequest,
    Injected,
    InjectRequest,
    MultitaskStrategy,
    RunningTurn,
    SendRequest,
    SendStatus,
    SessionFilter,
    SessionInfo,
)
from hubbub.core.values import Position
from hubbub.dialects.calls import answered
from hubbub.dialects.rpc.methods import Caller, Change, Method
from hubbub.dialects.rpc.topics import position_of


MAX_SESSIONS = 1000
"""Sessions in one list at most."""


class Send(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``chat.send``."""

    session: str
    message: str
    idempotency_key: str
    """Becomes the run's id."""
    attachments: list[Attachment] = msgspec.field(default_factory=list)
    thinking: str | None = None
    timeout_ms: int | None = None
    multitask_strategy: MultitaskStrategy | None = None
    """What it does while a turn of the session is open; left out: what the session says."""


class SentMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Result of ``chat.send``."""

    run_id: str
    status: SendStatus
    summary: str | None = None
    aborted: tuple[str, ...] = ()


class Abort(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``chat.abort``."""

    session: str
    run_id: str | None = None
    """Left out: all turns of the session."""


class AbortedRuns(msgspec.Struct, frozen=True):
    """Result of ``chat.abort``."""

    aborted: bool
    run_ids: tuple[str, ...]


class Inject(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``chat.inject``."""

    session: str
    message: str
    label: str | None = None


class GetHistory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``chat.history``."""

    session: str
    limit: int = 200
    at: Position | str | None = None
    """A position or a cursor: as it was then; left out: as it is now."""


class HistoryPage(msgspec.Struct, frozen=True):
    """Result of ``chat.history``."""

    session: str
    session_id: str | None
    messages: list[msgspec.Raw]
    run_ids: list[str | None]
    """Of each message, the run whose question or answer it is; null: put in, or imported."""
    running: list[RunningTurn]
    """Turns that have not ended, each with its answer so far, unless it was asked for the past."""
    position: Position
    """Follow the topic ``chat/<session>`` after this position, and nothing is missed."""


class ListSessions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``chat.sessions``."""

    agent: str | None = None
    label: str | None = None
    search: str | None = None
    active_minutes: int | None = None
    limit: int = 100


class SessionList(msgspec.Struct, frozen=True):
    """Result of ``chat.sessions``: the one that changed last first."""

    sessions: list[SessionInfo]


class Patch(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``chat.session_patch``."""

    session: str
    changes: dict[str, Any]
    """New values of fields; null clears."""


class OneSession(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``chat.session_reset``."""

    session: str


class Delete(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``chat.session_delete``."""

    session: str
    delete_transcript: bool = True


class Deleted(msgspec.Struct, frozen=True):
    """Result of ``chat.session_delete``."""

    deleted: bool


class Import(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``chat.import_session``."""

    session: str
    entry: dict[str, Any]
    messages: list[msgspec.Raw] = msgspec.field(default_factory=list)
    offset: int = 0
    """Number of the first of these messages within the whole transcript."""


async def send(caller: Caller, params: Send) -> SentMessage:
    """Send a message to an agent."""
    request = SendRequest(
        session_key=params.session,
        message=params.message,
        idempotency_key=params.idempotency_key,
        attachments=params.attachments,
        thinking=params.thinking,
        timeout_ms=params.timeout_ms,
        multitask_strategy=params.multitask_strategy,
    )
    sent = await caller.hub.chat.send(caller.principal, request)
    return SentMessage(sent.run_id, sent.status, sent.summary, sent.aborted)


async def abort(caller: Caller, params: Abort) -> AbortedRuns:
    """Abort turns."""
    run_ids = await caller.hub.chat.abort(
        caller.principal, params.session, params.run_id, key=params.idempotency_key
    )
    return AbortedRuns(aborted=bool(run_ids), run_ids=run_ids)


async def inject(caller: Caller, params: Inject) -> Injected:
    """Add a message as the agent's."""
    request = InjectRequest(
        session_key=params.session,
        message=params.message,
        label=params.label,
        idempotency_key=params.idempotency_key,
    )
    return await caller.hub.chat.inject(caller.principal, request)


async def history(caller: Caller, params: GetHistory) -> HistoryPage:
    """Give the newest messages."""
    at = position_of(params.at)
    if at is None:
        found = await caller.hub.chat.history(params.session, limit=params.limit)
        now = caller.hub.chat.running(found.session_key)
        running = [msgspec.convert(turn, RunningTurn, from_attributes=True) for turn in now]
    else:
        found, running = await caller.hub.past.history(params.session, at, limit=params.limit)
    return HistoryPage(
        session=found.session_key,
        session_id=found.session_id,
        messages=found.messages,
        run_ids=found.run_ids,
        running=running,
        position=Position(epoch=caller.hub.store.epoch, seq=found.seq),
    )


async def sessions(caller: Caller, params: ListSessions) -> SessionList:
    """List sessions."""
    wanted = SessionFilter(
        limit=max(0, min(params.limit, MAX_SESSIONS)),
        active_minutes=params.active_minutes,
        label=params.label,
        agent=params.agent,
        search=params.search,
    )
    rows = await caller.hub.chat.sessions.list(wanted)
    return SessionList([row.session.info() for row in rows])


async def session_patch(caller: Caller, params: Patch) -> SessionInfo:
    """Change fields of a session."""
    patched = await caller.hub.chat.sessions.patch(
        caller.principal, params.session, params.changes, key=params.idempotency_key
    )
    return patched.info()


async def session_reset(caller: Caller, params: OneSession) -> SessionInfo:
    """Begin a session anew."""
    anew = await caller.hub.chat.sessions.reset(
        caller.principal, params.session, key=params.idempotency_key
    )
    return anew.info()


async def session_delete(caller: Caller, params: Delete) -> Deleted:
    """Delete a session."""
    deleted = await caller.hub.chat.sessions.delete(
        caller.principal,
        params.session,
        delete_transcript=params.delete_transcript,
        key=params.idempotency_key,
    )
    return Deleted(deleted)


async def import_session(caller: Caller, params: Import) -> Imported:
    """Take over a conversation."""
    request = ImportRequest(
        session_key=params.session,
        entry=params.entry,
        messages=params.messages,
        offset=params.offset,
        idempotency_key=params.idempotency_key,
    )
    return await caller.hub.chat.import_session(caller.principal, request)


METHODS = [
    Method(
        name="chat.send",
        params=Send,
        result=SentMessage,
        summary="Send a message to an agent, or hear what became of the same send.",
        run=answered(send),
    ),
    Method(
        name="chat.abort",
        params=Abort,
        result=AbortedRuns,
        summary="Abort one turn of a session, or all; nothing of them is told afterwards.",
        run=answered(abort),
    ),
    Method(
        name="chat.inject",
        params=Inject,
        result=Injected,
        summary="Add a message to a conversation as its agent's, without a turn.",
        run=answered(inject),
    ),
    Method(
        name="chat.history",
        params=GetHistory,
        result=HistoryPage,
        summary="Read the newest messages of a session, and what its agent is saying now.",
        run=answered(history),
    ),
    Method(
        name="chat.sessions",
        params=ListSessions,
        result=SessionList,
        summary="List the conversations, the one that changed last first.",
        run=answered(sessions),
    ),
    Method(
        name="chat.session_patch",
        params=Patch,
        result=SessionInfo,
        summary="Change a session's label, levels or policy; makes it where it is missing.",
        run=answered(session_patch),
    ),
    Method(
        name="chat.session_reset",
        params=OneSession,
        result=SessionInfo,
        summary="Begin a session anew; the old transcript is kept under its own id.",
        run=answered(session_reset),
    ),
    Method(
        name="chat.session_delete",
        params=Delete,
        result=Deleted,
        summary="Delete a session and its transcript.",
        run=answered(session_delete),
    ),
    Method(
        name="chat.import_session",
        params=Import,
        result=Imported,
        summary="Take over a part of a conversation that was held elsewhere, once.",
        run=answered(import_session),
    ),
]
