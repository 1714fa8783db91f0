"""The methods `reservations.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Sequence
from typing import Literal

from hubbub.client.calls import BlockingMethods, JsonObject, Loop
from hubbub.client.generated.reservations import ReservationsMethods
from hubbub.client.generated.reservations_types import Freed, ReservationList
from hubbub.client.generated.shared_types import Grant, Reservation


class BlockingReservationsMethods(BlockingMethods):
    """The methods `reservations.*`."""

    def __init__(self, loop: Loop, twin: ReservationsMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def claim(
        self,
        paths: Sequence[str],
        *,
        cause: str | None = None,
        mode: Literal["exclusive", "shared"] = "exclusive",
        reason: str = "",
        lease_ms: int | None = None,
        agent: str | None = None,
        under: Grant | JsonObject | None = None,
        wait: bool = False,
        wait_ms: int | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Reservation:
        """Reserve paths for a lease, or extend what one has; wait for them or not.

        Args:
            paths: Globs, relative: `*` and `?` within a segment, `[a-z]`, `**` for any segments.
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            agent: Whose reservation it is; only the operator may name another than itself.
            under: A lock or reservation under which this is claimed; one that has ended refuses it.
            wait: Wait in the queue where others stand in the way; over a socket only.
            wait_ms: Milliseconds to wait at most.
        """
        return self._loop.run(
            self._twin.claim(
                paths,
                cause=cause,
                mode=mode,
                reason=reason,
                lease_ms=lease_ms,
                agent=agent,
                under=under,
                wait=wait,
                wait_ms=wait_ms,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def list(self, *, timeout_s: float | None = None) -> ReservationList:
        """Give all reservations that are held."""
        return self._loop.run(self._twin.list(timeout_s=timeout_s))

    def release(
        self,
        id: int,
        *,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Freed:
        """Give reserved paths back.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        return self._loop.run(
            self._twin.release(
                id, cause=cause, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        )

    def renew(
        self,
        id: int,
        *,
        cause: str | None = None,
        lease_ms: int | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Reservation:
        """Extend a reservation that is still held.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        return self._loop.run(
            self._twin.renew(
                id,
                cause=cause,
                lease_ms=lease_ms,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )
