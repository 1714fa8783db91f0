"""One turn as it is stored, asked for and answered: values, and its states as a table. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hubbub.core.chat.conversation import SendRequest, SendStatus, TurnState
from hubbub.core.chat.messages import Image, StopReason, text_of
from hubbub.core.chat.transcript import message_in
from hubbub.core.ports import Row, Transaction
from hubbub.core.runs.outcomes import OutcomeStatus


TRANSITIONS: Mapping[TurnState, frozenset[TurnState]] = {
    "accepted": frozenset(("started", "error", "aborted")),
    "started": frozenset(("ok", "error", "aborted")),
    "ok": frozenset(),
    "error": frozenset(),
    "aborted": frozenset(),
}
"""From each state of a turn, those that may follow: the first end is kept."""

STATUS: Mapping[TurnState, SendStatus] = {
    "accepted": "in_flight",
    "started": "in_flight",
    "ok": "ok",
    "error": "error",
    "aborted": "ok",
}
"""What a repeated send is told."""

OUTCOMES: Mapping[TurnState, OutcomeStatus] = {"ok": "success", "error": "failure"}


class StoredTurn(msgspec.Struct, frozen=True):
    """One turn as it stands in the store."""

    run_id: str
    caller: str
    digest: bytes
    session_key: str
    session_id: str
    spelling: str
    agent: str
    place: int
    thinking: str | None
    timeout_ms: int | None
    state: TurnState
    error: str | None
    cause: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A checked request, ready to be stored."""

    request: SendRequest
    key: str
    """The canonical session key."""
    images: Sequence[Image]
    digest: bytes
    max_open: int
    """Open turns that the session may have."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a runner gave in the end."""

    text: str = ""
    usage: dict[str, int] | None = None
    model: str | None = None
    provider: str | None = None
    error: str | None = None
    """Not ``None``: the turn failed, and this is why."""
    is_interrupted: bool = False
    """It failed because the daemon stopped."""
    is_injected: bool = False
    """The daemon itself answered."""

    @property
    def stop_reason(self) -> StopReason:
        """Why the answer ends where it does."""
        if self.error is not None:
            return "error"
        return "injected" if self.is_injected else "stop"


def turn_of(row: Row) -> StoredTurn:
    """Make a turn of a row of ``chat_turn_get`` and its kin."""
    return StoredTurn(*row)


def prompt_in(tx: Transaction, turn: StoredTurn) -> tuple[str, dict[str, Any]]:
    """Give the text of a turn's question, and the whole message."""
    message = msgspec.json.decode(message_in(tx, turn.place))
    return text_of(message), message
