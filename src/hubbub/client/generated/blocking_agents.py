"""The methods `agents.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from typing import Literal

from hubbub.client.calls import BlockingMethods, Loop
from hubbub.client.generated.agents import AgentsMethods
from hubbub.client.generated.agents_types import Attached, Empty, Identity
from hubbub.client.generated.shared_types import AgentList, AgentPresence


class BlockingAgentsMethods(BlockingMethods):
    """The methods `agents.*`."""

    def __init__(self, loop: Loop, twin: AgentsMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def attach(
        self, instance: str, *, agent: str | None = None, timeout_s: float | None = None
    ) -> Attached:
        """Take an agent's turns on this connection; each comes as `chat.turn`.

        Args:
            instance: A name that this program makes up when it starts, and keeps over its
                connections.
            agent: Only the operator may name another than itself, and must.
        """
        return self._loop.run(self._twin.attach(instance, agent=agent, timeout_s=timeout_s))

    def detach(
        self, instance: str, *, agent: str | None = None, timeout_s: float | None = None
    ) -> Empty:
        """Take no more turns of an agent; those that are open fail.

        Args:
            instance: The name that the program gave to ``agents.attach``.
            agent: Only the operator may name another than itself, and must.
        """
        return self._loop.run(self._twin.detach(instance, agent=agent, timeout_s=timeout_s))

    def heartbeat(
        self,
        *,
        cause: str | None = None,
        active_issue_id: int | None = None,
        machine_id: str = "",
        agent: str | None = None,
        status: Literal["active"] = "active",
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> AgentPresence:
        """Say that an agent is alive, and what it works on.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            active_issue_id: What the agent works on; without it: on nothing.
            agent: Only the operator may name another than itself, and must.
            status: Who sends a heartbeat is active.
            idempotency_key: Taken for the sake of clients that send one always: a heartbeat may be
                repeated.
        """
        return self._loop.run(
            self._twin.heartbeat(
                cause=cause,
                active_issue_id=active_issue_id,
                machine_id=machine_id,
                agent=agent,
                status=status,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def identity(self, *, agent: str | None = None, timeout_s: float | None = None) -> Identity:
        """Give an agent's ids and public keys.

        Args:
            agent: Name or id; without it: the caller itself.
        """
        return self._loop.run(self._twin.identity(agent=agent, timeout_s=timeout_s))

    def list(self, *, timeout_s: float | None = None) -> AgentList:
        """Give all known agents with status, doors and last heartbeat."""
        return self._loop.run(self._twin.list(timeout_s=timeout_s))
