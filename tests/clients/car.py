"""A CAR client: JSON-RPC 2.0 over one socket, with the daemon's, the host's or an agent's token."""

import itertools
from typing import Any, Self

from tests.clients.frames import Frame, FrameSocket
from tests.daemon import Daemon


SUCCESS = {
    "status": "success",
    "summary": "did the thing",
    "evidence": [],
    "metrics": {
        "turns": 1,
        "tool_calls": 1,
        "duration_ms": 12.0,
        "retries": 0,
        "actions_succeeded": 1,
        "actions_failed": 0,
    },
    "timestamp": "2026-11-21T10:00:00Z",
}
"""A complete outcome, as the seed's client sends it."""


class CarSocket(FrameSocket):
    """One connection to the CAR listener."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self._ids = itertools.count()

    @classmethod
    async def connect(cls, daemon: Daemon, *, auth: bool = True) -> Self:
        """Connect and present the daemon's token: an unbound agent."""
        socket = await cls.open(daemon.ws_url("car"))
        if auth:
            await socket.call("session.auth", {"token": daemon.token})
        return socket

    @classmethod
    async def connect_host(cls, daemon: Daemon) -> Self:
        """Connect in the host role, which may read across agents."""
        socket = await cls.open(daemon.ws_url("car"))
        answer = await socket.call("session.auth", {"host_token": daemon.host_token})
        assert answer["role"] == "host"
        return socket

    @classmethod
    async def connect_agent(cls, daemon: Daemon, agent: str, token: str) -> Self:
        """Connect bound to one agent by that agent's own token."""
        socket = await cls.open(daemon.ws_url("car"))
        answer = await socket.call("session.auth", {"agent_id": agent, "token": token})
        assert answer["agent_id"] == agent
        return socket

    async def answer(self, method: str, params: object = None) -> Frame:
        """Send a request and return the whole answer, good or bad."""
        request_id = f"c{next(self._ids)}"
        await self.send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        return await self.expect(
            lambda frame: frame.get("id") == request_id and "method" not in frame,
            what=f"the answer to {method}",
        )

    async def call(self, method: str, params: object = None) -> Any:
        """Send a request that must succeed and return its result."""
        answer = await self.answer(method, params)
        assert "error" not in answer, f"{method} failed: {answer}"
        return answer["result"]

    async def fail(self, method: str, params: object = None) -> Frame:
        """Send a request that must fail and return its error."""
        answer = await self.answer(method, params)
        assert "error" in answer, f"{method} should have failed: {answer}"
        error: Frame = answer["error"]
        return error

    async def start_run(self, agent: str, intent: str = "do it", **params: object) -> str:
        """Start a run and return its id."""
        result = await self.call("runs.start", {"agent_id": agent, "intent": intent, **params})
        return str(result["run_id"])

    async def runs(self, agent: str) -> list[Frame]:
        """List an agent's runs, newest first."""
        runs: list[Frame] = (await self.call("runs.list", {"agent_id": agent}))["runs"]
        return runs

    async def records(self, run_id: str) -> list[Frame]:
        """Return a run's whole trace."""
        records: list[Frame] = (await self.call("runs.get_trace", {"run_id": run_id}))["records"]
        return records

    async def endings(self, run_id: str) -> list[Frame]:
        """Return the terminations in a run's trace: none while open, one when ended."""
        return [r["termination"] for r in await self.records(run_id) if r["record"] == "ended"]

    async def trace_event(self) -> Frame:
        """Return the next trace notification's params."""
        frame = await self.expect(
            lambda f: f.get("method") == "runs.trace.event", what="a trace event"
        )
        params: Frame = frame["params"]
        return params
