"""Words for tests of runners."""

import asyncio
from typing import Any

import msgspec

from hubbub.core.ports import Runner, RunnerOutput, RunnerTurn


def turn(message: str = "hello", **changes: Any) -> RunnerTurn:
    """Make a turn."""
    asked = RunnerTurn(
        run_id="r1", agent="main", session_key="agent:main:main", message=message, timeout_s=20
    )
    return msgspec.structs.replace(asked, **changes)


async def collect(runner: Runner, asked: RunnerTurn) -> list[RunnerOutput]:
    """Take a turn to its end."""
    async with asyncio.timeout(20):
        return [output async for output in runner.take(asked)]


def text_of(outputs: list[RunnerOutput]) -> str:
    """Give the whole answer."""
    return "".join(output.text for output in outputs)
