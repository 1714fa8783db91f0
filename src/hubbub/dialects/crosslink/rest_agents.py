"""``/api/v1/agents`` and ``/api/v1/locks``: who is here, who holds what.

Claim, release and steal have no route of that kind in the original, where only its command
line can lock; the answer to a claim carries the fence.
"""

from collections.abc import Sequence
from typing import Any

from hubbub.core.hub import Hub
from hubbub.core.tracker.lock_table import Lock
from hubbub.core.tracker.locks import holder_for
from hubbub.dialects.base import Request, Response, Route, json_response
from hubbub.dialects.crosslink.bodies import (
    LockNotice,
    LockRequest,
    act_of,
    body_of,
    number_of,
    optional_body_of,
)
from hubbub.dialects.crosslink.frames import (
    agent_fields,
    listed,
    lock_fields,
    timestamp,
    unknown_agent_fields,
)


AGENTS = "/api/v1/agents"
LOCKS = "/api/v1/locks"
NO_REASON = "none given"
"""Reason of a steal that names none: the original's clients have no field for it."""


class AgentRoutes:
    """Handlers of everything below ``/api/v1/agents`` and ``/api/v1/locks``."""

    def __init__(self, hub: Hub, *, stale_lock_after_s: float) -> None:
        """Serve a hub."""
        self._hub = hub
        self._stale_ms = stale_lock_after_s * 1000

    def routes(self) -> Sequence[Route]:
        """Give the routes."""
        reads = [
            (AGENTS, self._agents),
            (f"{AGENTS}/{{agent}}", self._agent),
            (f"{AGENTS}/{{agent}}/status", self._kickoff),
            (LOCKS, self._locks),
            (f"{LOCKS}/stale", self._stale),
        ]
        writes = [
            (f"{LOCKS}/notify", self._notify),
            (f"{LOCKS}/{{issue}}/claim", self._claim),
            (f"{LOCKS}/{{issue}}/release", self._release),
            (f"{LOCKS}/{{issue}}/steal", self._steal),
        ]
        return [
            *(Route(method="GET", path=path, handler=handler) for path, handler in reads),
            *(Route(method="POST", path=path, handler=handler) for path, handler in writes),
        ]

    # -- agents --------------------------------------------------------------------------

    async def _agents(self, request: Request) -> Response:
        held = await self._held()
        return json_response(
            listed(
                [
                    agent_fields(agent, held.get(agent.agent, []))
                    for agent in self._hub.presence.list()
                ]
            )
        )

    async def _agent(self, request: Request) -> Response:
        name = request.params["agent"]
        agent = self._hub.presence.get(name)
        if agent is None:
            fields, history = unknown_agent_fields(name, self._hub.clock()), []
        else:
            fields = agent_fields(agent, (await self._held()).get(name, []))
            history = [timestamp(agent.last_heartbeat)]
        return json_response({**fields, "heartbeat_history": history})

    async def _kickoff(self, request: Request) -> Response:
        """Answer that no work tree and no terminal of this agent is known here."""
        name = request.params["agent"]
        fields = {"agent_id": name, "id": name, "kickoff_status": "unknown"}
        return json_response({**fields, "tmux_session_active": False})

    async def _held(self) -> dict[str, list[int]]:
        held: dict[str, list[int]] = {}
        for lock in await self._hub.locks.list():
            held.setdefault(lock.holder, []).append(lock.issue_id)
        return held

    # -- locks ---------------------------------------------------------------------------

    async def _locks(self, request: Request) -> Response:
        """List locks; here staleness counts from the claim."""
        now = self._hub.clock()
        locks = await self._hub.locks.list()
        return json_response(
            listed(
                [
                    self._lock(lock, is_stale=now - lock.claimed_at >= self._stale_ms)
                    for lock in locks
                ]
            )
        )

    async def _stale(self, request: Request) -> Response:
        """List the locks whose holder is silent; here staleness counts from its heartbeat."""
        oldest = self._hub.clock() - self._stale_ms
        items = []
        for lock in await self._hub.locks.list():
            holder = self._hub.presence.get(lock.holder)
            heard = lock.claimed_at if holder is None else holder.last_heartbeat
            if heard <= oldest:
                items.append(self._lock(lock, is_stale=True))
        return json_response(listed(items))

    async def _notify(self, request: Request) -> Response:
        body = body_of(request, LockNotice)
        if body.action not in ("claimed", "released"):
            text = f"Invalid lock action '{body.action}'. Must be 'claimed' or 'released'"
            return json_response({"error": text}, 400)
        agent = holder_for(request.caller, body.agent_id)
        unit = self._hub.locks.notify(act_of(request), body.issue_id, agent, body.action)
        await self._hub.journal.commit(unit)
        return json_response({"ok": True})

    async def _claim(self, request: Request) -> Response:
        issue_id, body = _lock_request(request)
        unit = self._hub.locks.claim(
            act_of(request), issue_id, agent=body.agent_id, lease_ms=body.lease_ms
        )
        lock = await self._hub.journal.commit(unit)
        return json_response(self._lock(lock, is_stale=False))

    async def _steal(self, request: Request) -> Response:
        issue_id, body = _lock_request(request)
        unit = self._hub.locks.steal(
            act_of(request),
            issue_id,
            body.reason or NO_REASON,
            agent=body.agent_id,
            lease_ms=body.lease_ms,
        )
        lock = await self._hub.journal.commit(unit)
        return json_response(self._lock(lock, is_stale=False))

    async def _release(self, request: Request) -> Response:
        issue_id, body = _lock_request(request)
        act = act_of(request, body.fence)
        unit = self._hub.locks.release(act, issue_id, agent=body.agent_id)
        release = await self._hub.journal.commit(unit)
        return json_response({"ok": True, "released": release.released})

    def _lock(self, lock: Lock, *, is_stale: bool) -> dict[str, Any]:
        return lock_fields(lock, now=self._hub.clock(), is_stale=is_stale)


def _lock_request(request: Request) -> tuple[int, LockRequest]:
    return number_of(request, "issue"), optional_body_of(request, LockRequest)
