"""The methods `reservations.*`.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Sequence
from typing import Any, Literal

from hubbub.client.calls import JsonObject, Methods
from hubbub.client.generated.reservations_types import Freed, ReservationList
from hubbub.client.generated.shared_types import Grant, Reservation


class ReservationsMethods(Methods):
    """The methods `reservations.*`."""

    async def claim(
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
        params: dict[str, Any] = {
            "paths": paths,
            "cause": cause,
            "mode": mode,
            "reason": reason,
            "lease_ms": lease_ms,
            "agent": agent,
            "under": under,
            "wait": wait,
            "wait_ms": wait_ms,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("reservations.claim", params, Reservation, timeout_s)

    async def list(self, *, timeout_s: float | None = None) -> ReservationList:
        """Give all reservations that are held."""
        params: dict[str, Any] = {}
        return await self._calls.invoke("reservations.list", params, ReservationList, timeout_s)

    async def release(
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
        params: dict[str, Any] = {"id": id, "cause": cause, "idempotency_key": idempotency_key}
        return await self._calls.invoke("reservations.release", params, Freed, timeout_s)

    async def renew(
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
        params: dict[str, Any] = {
            "id": id,
            "cause": cause,
            "lease_ms": lease_ms,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("reservations.renew", params, Reservation, timeout_s)
