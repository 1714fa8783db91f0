"""The values of the chat service: what is asked, what is answered, what is told.

Messages are kept as JSON in the shape that chat clients read them in::

    {"role":"user","content":[{"type":"text","text":…}, {"type":"image","data":…,"mimeType":…}],
     "timestamp":MS}
    {"role":"assistant","content":[{"type":"text","text":…}],"provider","model","api","usage",
     "stopReason":"stop|error|injected","errorMessage"?,"timestamp":MS}
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec


SendStatus = Literal["started", "in_flight", "ok", "error", "stopped"]
AbortReason = Literal["rpc", "stop", "timeout", "interrupt", "rollback"]
MultitaskStrategy = Literal["enqueue", "reject", "interrupt", "rollback"]
"""What a message does that comes while a turn of its session is open: wait its turn; be refused;
end the open ones and keep what they said; or end them and take them out of the history.
"""
TurnState = Literal["accepted", "started", "ok", "error", "aborted"]
SessionChange = Literal["created", "patched", "reset", "deleted"]

INTERRUPTED = "interrupted by a restart of the daemon"
"""Text of the error that a turn ends with where the daemon stopped in the middle of it."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that comes with a message. Only images are kept; others are dropped quietly."""

    content: str
    """Base64, or a ``data:`` URL with base64."""
    mime_type: str | None = None
    file_name: str | None = None


class SendRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A message to an agent."""

    session_key: str
    """In any spelling: ``main``, ``agent:main:main``, …"""
    message: str
    idempotency_key: str
    """Becomes the run's id."""
    attachments: Sequence[Attachment] = ()
    thinking: str | None = None
    """Thinking level of this turn; ``None``: the session's."""
    timeout_ms: int | None = None
    """Milliseconds that the turn may take; ``None`` or 0: the agent's own limit."""
    multitask_strategy: MultitaskStrategy | None = None
    """What it does where a turn of the session is open; ``None``: what the session says."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message."""

    run_id: str
    status: SendStatus
    """``started``: stored now, its turn will run. ``in_flight``: the same was sent before and
    is not finished. ``ok``: finished or aborted. ``error``: its turn failed. ``stopped``: the
    message was a stop word; nothing was stored under this key.
    """
    summary: str | None = None
    """With ``error``: what went wrong, for people."""
    aborted: tuple[str, ...] = ()
    """With ``stopped``: the runs that it aborted."""


class InjectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A message to put into a conversation as the agent's."""

    session_key: str
    message: str
    label: str | None = None
    """Stands in brackets before the text."""
    idempotency_key: str | None = None


class Injected(msgspec.Struct, frozen=True):
    """Where an injected message stands."""

    message_id: str
    """8 hex characters, unique within the session."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The newest part of a conversation."""

    session_key: str
    """The canonical key."""
    session_id: str | None
    """``None``: there is no such session, and no message."""
    messages: list[msgspec.Raw]
    """Oldest first, as stored. An answer stands below its question."""
    run_ids: list[str | None]
    """Of each message, the run whose question or answer it is; ``None``: put in, or imported."""
    seq: int
    """Everything up to this place of the journal is in it, nothing after."""
    thinking: str | None
    """The session's own thinking level, where it has one."""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that has not ended."""

    run_id: str
    session_key: str
    """The canonical key."""
    spelling: str
    """The session key as its sender wrote it."""
    agent: str
    text: str
    """The answer so far, as far as it has been told; empty while the turn waits."""
    started: bool
    """False: accepted, and waiting for its start."""


class RunningTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that has not ended, now or at a place of the journal."""

    run_id: str
    session_key: str
    spelling: str
    agent: str
    started: bool
    text: str | msgspec.UnsetType = msgspec.UNSET
    """The answer so far; unset for the past: what is said is stored when it has been said."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation, without its messages."""

    key: str
    """The canonical key."""
    agent: str
    session_id: str
    """Names the transcript; a reset gives a new one."""
    updated_at: int
    """Unix time in milliseconds."""
    fields: Mapping[str, Any]
    """All other fields of the entry under the names in which clients store them (``label``,
    ``thinkingLevel``, ``lastChannel``, …), unknown ones too.
    """

    def entry(self) -> dict[str, Any]:
        """Give the whole entry as clients store it."""
        return {"sessionId": self.session_id, "updatedAt": self.updated_at, **self.fields}

    def info(self) -> "SessionInfo":
        """Give what a list of sessions says of it."""
        return SessionInfo(
            self.key, self.agent, self.session_id, self.updated_at, dict(self.fields)
        )


class SessionInfo(msgspec.Struct, frozen=True):
    """A conversation as it is listed, and as events tell of it."""

    session: str
    """The canonical key."""
    agent: str
    session_id: str
    updated_at: int
    """Unix time in milliseconds."""
    fields: Mapping[str, Any]


class SessionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions a list has, newest first."""

    limit: int | None = None
    """At most so many; ``None``: all."""
    active_minutes: int | None = None
    """Only those that changed within so many minutes."""
    include_global: bool = True
    include_unknown: bool = True
    label: str | None = None
    spawned_by: str | None = None
    agent: str | None = None
    search: str | None = None
    """Part of a key, id, label, display name or subject, in any case."""
    edges: bool = False
    """Read each session's first user message and last message too."""


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One session of a list."""

    session: Session
    first_user: msgspec.Raw | None = None
    last: msgspec.Raw | None = None


class PreviewItem(msgspec.Struct, frozen=True):
    """One message of a preview."""

    role: Literal["user", "assistant", "tool", "system", "other"]
    text: str


class Preview(msgspec.Struct, frozen=True):
    """The end of one conversation in short."""

    key: str
    """As it was asked for."""
    status: Literal["ok", "empty", "missing"]
    items: tuple[PreviewItem, ...] = ()


class ImportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a conversation that was held elsewhere."""

    session_key: str
    entry: Mapping[str, Any]
    """The session's entry, with ``sessionId`` and ``updatedAt``."""
    messages: Sequence[msgspec.Raw] = ()
    offset: int = 0
    """Number of the first of these messages within the whole transcript."""
    idempotency_key: str | None = None


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import changed."""

    session_key: str
    created: bool
    """The session is new here."""
    added: int
    """Messages that were not here before."""


# -- data of events ------------------------------------------------------------------------


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """Data of ``chat.accepted``."""

    session_key: str
    run_id: str
    agent: str
    message: msgspec.Raw
    spelling: str
    """The session key as the sender wrote it."""
    ahead: int
    """Open turns of the session that come before this one."""
    session: SessionInfo
    """As it is after this, here and in all that follows."""


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """Data of ``chat.started``."""

    session_key: str
    run_id: str
    agent: str
    spelling: str


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """Data of ``chat.delta``, which is ephemeral."""

    session_key: str
    run_id: str
    text: str
    """All of the answer so far."""
    delta: str
    """What is new."""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """Data of ``chat.tool``, which is ephemeral."""

    session_key: str
    run_id: str
    tool: msgspec.Raw


class Final(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Data of ``chat.final``."""

    session_key: str
    run_id: str
    message: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    """Unset: the turn produced no text."""
    usage: dict[str, int] | None = None
    session: SessionInfo


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """Data of ``chat.error``."""

    session_key: str
    run_id: str
    error: str
    message: msgspec.Raw | msgspec.UnsetType
    """What stands in the history: the answer as far as it came, and the error."""
    session: SessionInfo


class Aborted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Data of ``chat.aborted``."""

    session_key: str
    run_id: str
    reason: AbortReason
    message: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    """The part of the answer that stays in the history; set with ``interrupt`` alone."""
    session: SessionInfo


class RolledBack(msgspec.Struct, frozen=True, kw_only=True):
    """Data of ``chat.rolled_back``: these messages are in the history no longer."""

    session_key: str
    run_id: str
    message_ids: tuple[str, ...]


class InjectedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Data of ``chat.injected``."""

    session_key: str
    message_id: str
    message: msgspec.Raw
    session: SessionInfo


class ImportedMessage(msgspec.Struct, frozen=True):
    """A message that was taken over."""

    number: int
    """Its number within the transcript that it comes from; our own messages stand after it."""
    message: msgspec.Raw


class ImportedMessages(msgspec.Struct, frozen=True, kw_only=True):
    """Data of ``chat.imported``: messages that were not here before."""

    session_key: str
    session_id: str
    """Transcript that they went to; the session's own, unless it was reset since the first."""
    messages: list[ImportedMessage]


class SessionChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Data of ``chat.session``."""

    session_key: str
    change: SessionChange
    session: SessionInfo | None
    """``None``: it is deleted."""
    deleted_transcript: str | msgspec.UnsetType = msgspec.UNSET
    """Session id of the transcript that was deleted with it."""
