"""Turns taken by an agent that is attached over a socket."""

from collections.abc import AsyncIterator

from hubbub.core.chat.attached import AttachedAgents
from hubbub.core.ports import RunnerOutput, RunnerTurn
from hubbub.errors import RunnerFailed


class AttachedRunner:
    """Hands each turn to the connection that its agent has at that moment."""

    def __init__(self, attached: AttachedAgents) -> None:
        """Look agents up in a registry."""
        self._attached = attached

    def take(self, turn: RunnerTurn) -> AsyncIterator[RunnerOutput]:
        """Run the turn and yield its output as it comes.

        Raises:
            RunnerFailed: The agent is not attached, refused, failed or left.
        """
        agent = self._attached.get(turn.agent)
        if agent is None:
            message = (
                f"agent {turn.agent!r} is not attached; it connects through hubbub's own door, "
                "or through CAR's"
            )
            raise RunnerFailed(message)
        return agent.chat(turn)
