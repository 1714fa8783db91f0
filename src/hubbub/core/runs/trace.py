"""The turns of a run: their shape, their caps, and how an oversized one is cut.

Pure. A turn is stored as the bytes that are told, so that a live trace and a replayed one
are the same to the last byte.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from hubbub.core.idempotency import Stored, answered, digest
from hubbub.core.ports import Unit
from hubbub.core.values import Principal
from hubbub.errors import InvalidRequest


MAX_TURNS_PER_CALL = 256
"""Turns in one call at most; more is an error."""
MAX_TURNS = 2000
"""Turns of one run at most."""
MAX_TEXT_BYTES = 16 * 1024
"""Bytes of UTF-8 of a prompt or an output that is text; the rest is cut."""
MAX_TURN_BYTES = 256 * 1024
"""Bytes of one turn as JSON at most."""
MAX_TRACE_BYTES = 12 * 1024 * 1024
"""Bytes of all turns of one run at most: a trace fits into one message of any client."""
TRUNCATED = "…[truncated]"
"""Stands at the end of a text that was cut, and in place of what was too large to keep."""

Dropped = Literal["run_not_found", "run_terminal", "run_turn_limit", "turn_too_large"]

_MARKER = msgspec.Raw(msgspec.json.encode(TRUNCATED))
_RAW_UNSET = msgspec.Raw | msgspec.UnsetType


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a run. All fields may be missing; ``index`` is the daemon's to give."""

    prompt: str | msgspec.UnsetType | None = msgspec.UNSET
    tool: str | msgspec.UnsetType | None = msgspec.UNSET
    parameters: _RAW_UNSET = msgspec.UNSET
    output: _RAW_UNSET = msgspec.UNSET
    cli_outcome: _RAW_UNSET = msgspec.UNSET
    verifier_verdict: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b'"not_run"'))
    policy_rejected: _RAW_UNSET = msgspec.UNSET
    model: _RAW_UNSET = msgspec.UNSET
    """What the model did: its id, token usage, duration, tool calls asked for."""


class Recorded(msgspec.Struct, frozen=True):
    """What became of a batch of turns: all of them are in the trace, or none is."""

    base_index: int = 0
    """Index of the first of them."""
    count: int = 0
    dropped: Dropped | None = None
    """Why none was recorded."""


class _Numbered(Turn, frozen=True, kw_only=True):
    index: int


def check_batch(turns: Sequence[Turn]) -> None:
    """Check the size of a batch.

    Raises:
        InvalidRequest: It has more turns than one call may bring.
    """
    if len(turns) > MAX_TURNS_PER_CALL:
        message = f"{len(turns)} turns in one call; {MAX_TURNS_PER_CALL} at most"
        raise InvalidRequest(message)


def encode_turn(turn: Turn, index: int) -> bytes | None:
    """Give a turn as it is stored, cut to its caps; ``None``: it is too large even so."""
    numbered = _Numbered(
        index=index,
        prompt=cut(turn.prompt) if isinstance(turn.prompt, str) else turn.prompt,
        tool=turn.tool,
        parameters=turn.parameters,
        output=_cut_json(turn.output),
        cli_outcome=turn.cli_outcome,
        verifier_verdict=turn.verifier_verdict,
        policy_rejected=turn.policy_rejected,
        model=turn.model,
    )
    data = _encode(numbered)
    if len(data) > MAX_TURN_BYTES:
        data = _encode(_without_bulk(numbered))
    return data if len(data) <= MAX_TURN_BYTES else None


def cut(text: str) -> str:
    """Cut a text at ``MAX_TEXT_BYTES`` of UTF-8, never within a character."""
    if len(text) * 4 <= MAX_TEXT_BYTES:
        return text
    data = text.encode()
    if len(data) <= MAX_TEXT_BYTES:
        return text
    return data[:MAX_TEXT_BYTES].decode(errors="ignore") + TRUNCATED


def _cut_json(value: _RAW_UNSET) -> _RAW_UNSET:
    """Cut a value if it is a text."""
    if isinstance(value, msgspec.UnsetType) or len(bytes(value)) <= MAX_TEXT_BYTES:
        return value
    decoded = msgspec.json.decode(value)
    return msgspec.Raw(msgspec.json.encode(cut(decoded))) if isinstance(decoded, str) else value


def _without_bulk(turn: _Numbered) -> _Numbered:
    """Replace what makes turns large by a marker, where it is there at all."""
    markers = (("prompt", TRUNCATED), ("output", _MARKER), ("parameters", _MARKER))
    bulk: dict[str, object] = {
        field: marker
        for field, marker in markers
        if getattr(turn, field) not in (None, msgspec.UNSET)
    }
    return msgspec.structs.replace(turn, **bulk)


def _encode(turn: _Numbered) -> bytes:
    # Raw parts may carry the layout of the client's JSON; what we store is compact.
    return msgspec.json.format(msgspec.json.encode(turn), indent=-1)


def recorded(
    caller: Principal, run_id: str, turns: Sequence[Turn], *, key: str
) -> Unit[Stored[Recorded] | None]:
    """Make the unit that looks for what the same recording, under no lock, was answered."""
    request = digest("runs.record_turns", run_id, msgspec.json.encode(turns))
    return answered(caller=caller, key=key, request=request, result=Recorded)
