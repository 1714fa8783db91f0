"""Agents that are attached over a socket and can take turns there."""

from collections.abc import AsyncIterator
from typing import Protocol

from hubbub.core.chat.session_keys import DEFAULT_AGENT, agent_id
from hubbub.core.ports import RunnerOutput, RunnerTurn
from hubbub.errors import Conflict


class AttachedAgent(Protocol):
    """A connection on which an agent takes turns."""

    def chat(self, turn: RunnerTurn) -> AsyncIterator[RunnerOutput]:
        """Hand a turn to the agent and yield its output as it comes.

        Cancelling the iteration asks the agent to stop, as far as it listens.

        Raises:
            RunnerFailed: The agent refused, failed or left.
        """


class AlreadyAttached(Conflict):
    """The agent has a live connection."""

    def __init__(self, agent: str) -> None:
        """Remember which agent."""
        super().__init__(agent)
        self.agent = agent

    def __str__(self) -> str:
        """Name the agent, in the words that CAR's clients know."""
        return f"agent {self.agent!r} is already attached on another connection"


class AttachedAgents:
    """Who is attached: at most one connection per agent."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._agents: dict[str, AttachedAgent] = {}

    def attach(self, agent: str, connection: AttachedAgent) -> None:
        """Give an agent's place to a connection.

        Raises:
            AlreadyAttached: Another live connection has it.
        """
        if self._agents.setdefault(agent, connection) is not connection:
            raise AlreadyAttached(agent)

    def detach(self, agent: str, connection: AttachedAgent) -> None:
        """Free an agent's place, if it is this connection's."""
        if self._agents.get(agent) is connection:
            del self._agents[agent]

    def get(self, agent: str) -> AttachedAgent | None:
        """Give the connection of an agent; ``None`` if it is not attached.

        Args:
            agent: Its own name, or the form that this has in session keys.
        """
        found = self._agents.get(agent)
        if found is not None:
            return found
        keyed = (other for name, other in self._agents.items() if _is_keyed(name, agent))
        return next(keyed, None)

    def agents(self) -> list[str]:
        """Name the attached agents."""
        return sorted(self._agents)


def _is_keyed(name: str, agent: str) -> bool:
    """Say whether an agent goes by this form in session keys.

    A name of which nothing is left there stands for the default agent, which it is not.
    """
    return agent_id(name) == agent and (agent != DEFAULT_AGENT or name.lower() == DEFAULT_AGENT)
