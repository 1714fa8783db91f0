"""The built-in runner: says what it was told, so that chat works before anything is set up."""

import asyncio
from collections.abc import AsyncGenerator

from hubbub.core.ports import RunnerOutput, RunnerTurn


PIECES = 4
"""Pieces in which an answer is streamed at most."""


class EchoRunner:
    """Repeats the message, a few words at a time."""

    async def take(self, turn: RunnerTurn) -> AsyncGenerator[RunnerOutput, None]:
        """Yield the message in pieces that end at blanks, and let others run in between."""
        words = turn.message.split(" ")
        size = -(-len(words) // PIECES)
        for start in range(0, len(words), size):
            piece = " ".join(words[start : start + size])
            last = start + size >= len(words)
            yield RunnerOutput(text=piece if last else piece + " ")
            await asyncio.sleep(0)
        yield RunnerOutput(model="echo", provider="hubbub")
