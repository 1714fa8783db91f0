"""The methods `runs.*`.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Sequence
from typing import Any, Literal

from hubbub.client.calls import JsonObject, Methods
from hubbub.client.events import Position
from hubbub.client.generated.runs_types import Outcome, Recorded, RunList, Trace, Turn
from hubbub.client.generated.shared_types import Grant, Run


class RunsMethods(Methods):
    """The methods `runs.*`."""

    async def cancel(
        self,
        run_id: str,
        *,
        reason: str = "rpc",
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Run:
        """End a run without an outcome.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        params: dict[str, Any] = {
            "run_id": run_id,
            "reason": reason,
            "cause": cause,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("runs.cancel", params, Run, timeout_s)

    async def complete(
        self,
        run_id: str,
        outcome: Outcome | JsonObject,
        *,
        under: Grant | JsonObject | None = None,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Run:
        """End a run with the outcome that its agent reports; the first end is kept.

        Args:
            under: The lock or reservation under which it is written; one that has ended refuses it.
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        params: dict[str, Any] = {
            "run_id": run_id,
            "outcome": outcome,
            "under": under,
            "cause": cause,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("runs.complete", params, Run, timeout_s)

    async def get(self, run_id: str, *, timeout_s: float | None = None) -> Run:
        """Give one run."""
        params: dict[str, Any] = {"run_id": run_id}
        return await self._calls.invoke("runs.get", params, Run, timeout_s)

    async def list(
        self, *, agent: str | None = None, limit: int = 100, timeout_s: float | None = None
    ) -> RunList:
        """Give the newest runs of an agent, or of all, 1000 at most."""
        params: dict[str, Any] = {"agent": agent, "limit": limit}
        return await self._calls.invoke("runs.list", params, RunList, timeout_s)

    async def record_turns(
        self,
        run_id: str,
        turns: Sequence[Turn | JsonObject],
        *,
        under: Grant | JsonObject | None = None,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Recorded:
        """Add turns to an open run: all of them, or none and why.

        Args:
            under: The lock or reservation under which they are written; one that has ended refuses
                them.
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        params: dict[str, Any] = {
            "run_id": run_id,
            "turns": turns,
            "under": under,
            "cause": cause,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("runs.record_turns", params, Recorded, timeout_s)

    async def resume(
        self, run_id: str, *, cursor: int = 0, timeout_s: float | None = None
    ) -> Trace:
        """Take over an open run whose connection is gone, with its turns from a cursor on.

        Args:
            cursor: Index of the first turn wanted.
        """
        params: dict[str, Any] = {"run_id": run_id, "cursor": cursor}
        return await self._calls.invoke("runs.resume", params, Trace, timeout_s)

    async def start(
        self,
        intent: str,
        *,
        agent: str | None = None,
        outcome_description: str | None = None,
        on_disconnect: Literal["continue", "cancel", "incomplete"] = "continue",
        grace_ms: int | None = None,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Run:
        """Start a run of an agent; an idempotency key becomes its id.

        Args:
            agent: May be left out by a caller that is bound to an agent.
            on_disconnect: What the end of this connection does to the run.
            grace_ms: Milliseconds that the agent has to come back first, also after a restart of
                the daemon.
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        params: dict[str, Any] = {
            "intent": intent,
            "agent": agent,
            "outcome_description": outcome_description,
            "on_disconnect": on_disconnect,
            "grace_ms": grace_ms,
            "cause": cause,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("runs.start", params, Run, timeout_s)

    async def trace(
        self,
        run_id: str,
        *,
        cursor: int = 0,
        limit: int = 2000,
        at: Position | str | None = None,
        timeout_s: float | None = None,
    ) -> Trace:
        """Give a run's turns, and the position from which to follow `runs/<id>`.

        Args:
            cursor: Index of the first turn wanted.
            at: A position or a cursor: as it was then; left out: as it is now.
        """
        params: dict[str, Any] = {"run_id": run_id, "cursor": cursor, "limit": limit, "at": at}
        return await self._calls.invoke("runs.trace", params, Trace, timeout_s)
