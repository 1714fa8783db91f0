"""What led to a call: given once, beside the call, and noted in every event that it records.

A caller names an event by its id, or a topic, which stands for the newest event under it:
``runs/<id>`` is what an agent knows of its run, and its newest event is the turn at work.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from hubbub.errors import InvalidRequest


MAX_CAUSE_BYTES = 65_535
"""Bytes of UTF-8 of a cause at most: it may be a topic."""


class _Call:
    """One call that says what led to it."""

    __slots__ = ("cause", "is_over")

    def __init__(self, cause: str) -> None:
        self.cause = cause
        # Tasks and timers that the call has begun inherit its context, and outlive it.
        self.is_over = False


_CALL: ContextVar[_Call | None] = ContextVar("hubbub_call", default=None)


@contextmanager
def led_by(cause: str) -> Iterator[None]:
    """Note a cause in all events of the units that are submitted meanwhile, and name none.

    Raises:
        InvalidRequest: The cause is empty or too long.
    """
    if not 0 < len(cause.encode()) <= MAX_CAUSE_BYTES:
        message = f"cause must be an event's id or a topic, of 1 to {MAX_CAUSE_BYTES} bytes"
        raise InvalidRequest(message)
    call = _Call(cause)
    before = _CALL.set(call)
    try:
        yield
    finally:
        call.is_over = True
        _CALL.reset(before)


def current() -> str | None:
    """Give what led to the call that is at work; ``None``: it does not say."""
    call = _CALL.get()
    return None if call is None or call.is_over else call.cause
