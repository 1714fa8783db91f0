"""Attached agents: one connection per agent."""

from collections.abc import AsyncIterator

import pytest

from hubbub.core.chat.attached import AlreadyAttached, AttachedAgents
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


def test_agent_is_found_under_the_name_of_its_sessions() -> None:
    """A session key names an agent in lower case; an agent of exactly that name goes first."""
    attached, loud, quiet = AttachedAgents(), Connection(), Connection()
    attached.attach("Agent A", loud)
    assert attached.get("agent-a") is loud
    assert attached.get("agent-b") is None
    attached.attach("agent-a", quiet)
    assert attached.get("agent-a") is quiet
    assert attached.get("Agent A") is loud


def test_name_without_letters_is_not_the_default_agent() -> None:
    """Only an agent called so takes the default agent's place."""
    attached, nobody, default = AttachedAgents(), Connection(), Connection()
    attached.attach("!!!", nobody)
    assert attached.get("main") is None
    attached.attach("Main", default)
    assert attached.get("main") is default
