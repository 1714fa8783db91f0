"""Types of `chat`.

Written by `python -m scripts.write_client`.
"""

from typing import Any, Literal

import msgspec

from hubbub.client.events import Position
from hubbub.client.generated.shared_types import SessionInfo


class AbortedRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``chat.abort``."""

    aborted: bool
    run_ids: tuple[str, ...]


class Attachment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that comes with a message. Only images are kept; others are dropped quietly."""

    content: str
    """Base64, or a ``data:`` URL with base64."""
    mime_type: str | None = None
    file_name: str | None = None


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``chat.session_delete``."""

    deleted: bool


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``chat.answer``."""

    run_id: str


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``chat.say``."""

    heard: int
    """Pieces that have been heard."""


class RunningTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that has not ended, now or at a place of the journal."""

    run_id: str
    session_key: str
    spelling: str
    agent: str
    started: bool
    text: str | None = None
    """The answer so far; unset for the past: what is said is stored when it has been said."""


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``chat.history``."""

    session: str
    session_id: str | None
    messages: list[Any]
    run_ids: list[str | None]
    """Of each message, the run whose question or answer it is; null: put in, or imported."""
    running: list[RunningTurn]
    """Turns that have not ended, each with its answer so far, unless it was asked for the past."""
    position: Position
    """Follow the topic ``chat/<session>`` after this position, and nothing is missed."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import changed."""

    session_key: str
    created: bool
    """The session is new here."""
    added: int
    """Messages that were not here before."""


class Injected(msgspec.Struct, frozen=True, kw_only=True):
    """Where an injected message stands."""

    message_id: str
    """8 hex characters, unique within the session."""


class SentMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``chat.send``."""

    run_id: str
    status: Literal["started", "in_flight", "ok", "error", "stopped"]
    summary: str | None = None
    aborted: tuple[str, ...] = ()


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``chat.sessions``: the one that changed last first."""

    sessions: list[SessionInfo]
