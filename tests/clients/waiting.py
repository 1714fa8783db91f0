"""Waiting for conditions with one patience, scaled for slow machines by one variable."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar


PATIENCE_S = 15.0 * float(os.environ.get("HUBBUB_TEST_PATIENCE", "1"))
"""How long a test waits for something that must happen, in seconds. Never a measure of speed."""

POLL_S = 0.01
"""Pause between two looks at a condition, in seconds."""

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]], *, what: str = "the condition") -> T:
    """Look again and again until the answer is truthy, and return that answer.

    Args:
        look: Asks for the current state; a falsy answer means not yet.
        what: What is waited for, in words, for the failure text.

    Raises:
        AssertionError: The answer stayed falsy for `PATIENCE_S`.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = await look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            message = f"{what} did not come true in {PATIENCE_S:g} s; last answer: {answer!r}"
            raise AssertionError(message)
        await asyncio.sleep(POLL_S)
