"""The methods `runs.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Sequence
from typing import Literal

from hubbub.client.calls import BlockingMethods, JsonObject, Loop
from hubbub.client.events import Position
from hubbub.client.generated.runs import RunsMethods
from hubbub.client.generated.runs_types import Outcome, Recorded, RunList, Trace, Turn
from hubbub.client.generated.shared_types import Grant, Run


class BlockingRunsMethods(BlockingMethods):
    """The methods `runs.*`."""

    def __init__(self, loop: Loop, twin: RunsMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def cancel(
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
        return self._loop.run(
            self._twin.cancel(
                run_id,
                reason=reason,
                cause=cause,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def complete(
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
        return self._loop.run(
            self._twin.complete(
                run_id,
                outcome,
                under=under,
                cause=cause,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def get(self, run_id: str, *, timeout_s: float | None = None) -> Run:
        """Give one run."""
        return self._loop.run(self._twin.get(run_id, timeout_s=timeout_s))

    def list(
        self, *, agent: str | None = None, limit: int = 100, timeout_s: float | None = None
    ) -> RunList:
        """Give the newest runs of an agent, or of all, 1000 at most."""
        return self._loop.run(self._twin.list(agent=agent, limit=limit, timeout_s=timeout_s))

    def record_turns(
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
        return self._loop.run(
            self._twin.record_turns(
                run_id,
                turns,
                under=under,
                cause=cause,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def resume(self, run_id: str, *, cursor: int = 0, timeout_s: float | None = None) -> Trace:
        """Take over an open run whose connection is gone, with its turns from a cursor on.

        Args:
            cursor: Index of the first turn wanted.
        """
        return self._loop.run(self._twin.resume(run_id, cursor=cursor, timeout_s=timeout_s))

    def start(
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
        return self._loop.run(
            self._twin.start(
                intent,
                agent=agent,
                outcome_description=outcome_description,
                on_disconnect=on_disconnect,
                grace_ms=grace_ms,
                cause=cause,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def trace(
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
        return self._loop.run(
            self._twin.trace(run_id, cursor=cursor, limit=limit, at=at, timeout_s=timeout_s)
        )
