"""Attached agents: one connection per agent."""

from collections.abc import AsyncIterator

import pytest

from hubbub.core.attached import AlreadyAttached, AttachedAgents
from hubbub.core.ports import RunnerOutput, RunnerTurn


class Connection:
    """A connection that repeats."""

    async def chat(self, turn: RunnerTurn) -> AsyncIterator[RunnerOutput]:
        """Say one word."""
        yield RunnerOutput(text=turn.message)


def test_agent_has_one_place_until_its_connection_leaves() -> None:
    """A second connection is refused while the first is there; the first may come again."""
    attached, first, second = AttachedAgents(), Connection(), Connection()
    attached.attach("ann", first)
    attached.attach("ann", first)
    with pytest.raises(AlreadyAttached, match="already attached on another connection"):
        attached.attach("ann", second)
    assert attached.get("ann") is first
    assert attached.agents() == ["ann"]

    attached.detach("ann", second)
    assert attached.get("ann") is first
    attached.detach("ann", first)
    attached.attach("ann", second)
    assert attached.get("ann") is second
    assert attached.get("bob") is None
