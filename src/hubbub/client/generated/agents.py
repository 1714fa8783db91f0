"""The methods `agents.*`.

Written by `python -m scripts.write_client`.
"""

from typing import Any, Literal

from hubbub.client.calls import Methods
from hubbub.client.generated.agents_types import Attached, Empty, Identity
from hubbub.client.generated.shared_types import AgentList, AgentPresence


class AgentsMethods(Methods):
    """The methods `agents.*`."""

    async def attach(
        self, instance: str, *, agent: str | None = None, timeout_s: float | None = None
    ) -> Attached:
        """Take an agent's turns on this connection; each comes as `chat.turn`.

        Args:
            instance: A name that this program makes up when it starts, and keeps over its
                connections.
            agent: Only the operator may name another than itself, and must.
        """
        params: dict[str, Any] = {"instance": instance, "agent": agent}
        return await self._calls.invoke("agents.attach", params, Attached, timeout_s)

    async def detach(
        self, instance: str, *, agent: str | None = None, timeout_s: float | None = None
    ) -> Empty:
        """Take no more turns of an agent; those that are open fail.

        Args:
            instance: The name that the program gave to ``agents.attach``.
            agent: Only the operator may name another than itself, and must.
        """
        params: dict[str, Any] = {"instance": instance, "agent": agent}
        return await self._calls.invoke("agents.detach", params, Empty, timeout_s)

    async def heartbeat(
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
        params: dict[str, Any] = {
            "cause": cause,
            "active_issue_id": active_issue_id,
            "machine_id": machine_id,
            "agent": agent,
            "status": status,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("agents.heartbeat", params, AgentPresence, timeout_s)

    async def identity(
        self, *, agent: str | None = None, timeout_s: float | None = None
    ) -> Identity:
        """Give an agent's ids and public keys.

        Args:
            agent: Name or id; without it: the caller itself.
        """
        params: dict[str, Any] = {"agent": agent}
        return await self._calls.invoke("agents.identity", params, Identity, timeout_s)

    async def list(self, *, timeout_s: float | None = None) -> AgentList:
        """Give all known agents with status, doors and last heartbeat."""
        params: dict[str, Any] = {}
        return await self._calls.invoke("agents.list", params, AgentList, timeout_s)
