"""Who may come in, how many at a time, and how much they may send: one listener's side of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from hubbub.core.limits import Limits
from hubbub.core.quotas import REMOTE, Meter, Quota, Quotas
from hubbub.core.values import Principal
from hubbub.errors import TooManyConnections, TooManyRequests
from hubbub.telemetry import Metrics
from hubbub.transport.connections import LongConnections


REFUSED_AT_A_TIME = 1024
"""Connections over a limit that are kept for the moment in which they are told so; further ones
are cut without a word."""

MAX_METERS = 10_000
"""Callers for whom a listener remembers what measures them."""


class Admission:
    """Counts and measures on behalf of one listener; callers are the same on all listeners."""

    def __init__(self, listener: str, limits: Limits, quotas: Quotas, metrics: Metrics) -> None:
        """Begin with nobody.

        Args:
            quotas: What callers have taken, shared by all listeners.
        """
        self.limits = limits
        self._listener = listener
        self._quotas = quotas
        self._own = Quota(limits.listener_messages(), limits.listener_bytes())
        self.metrics = metrics
        self.connections = LongConnections(listener)
        self.refused = self.slow_closes = self.requests = 0
        """Counted since the start."""
        self._turned_away = 0
        self._meters: dict[str, tuple[Quota, Meter | None]] = {}
        """Made once per caller: that costs more than a request's use of it."""

    # -- connections -----------------------------------------------------------------------

    def arrive(self, remote: str) -> "Visit":
        """Count a connection in; its end must be told to the visit."""
        limits, own, theirs = self.limits, self._own, self._quotas.of(_remote(remote))
        full: TooManyConnections | None = None
        if 0 < limits.listener_connections <= own.connections:
            full = TooManyConnections(f"the listener {self._listener}", limits.listener_connections)
            self.count("listener_connections")
        elif 0 < limits.remote_connections <= theirs.connections:
            full = TooManyConnections(f"the address {remote}", limits.remote_connections)
            self.count("remote_connections")
        return Visit(self, theirs, full)

    def enter(self, visit: "Visit") -> bool:
        """Count a visit in; false: it is over a limit, and cannot even be told so."""
        if visit.full is None:
            self._own.connections += 1
            visit.quota.connections += 1
            return True
        self._turned_away += 1
        return self._turned_away <= REFUSED_AT_A_TIME

    def leave(self, visit: "Visit") -> None:
        """Count a visit out."""
        if visit.full is None:
            self._own.connections -= 1
            visit.quota.connections -= 1
        else:
            self._turned_away -= 1

    def seat(self, principal: Principal) -> Quota:
        """Count a long connection of a principal in; the quota is to be given back.

        Raises:
            TooManyConnections: It has as many as it may have.
        """
        quota, most = self._quotas.of(principal.id), self.limits.principal_connections
        if 0 < most <= quota.connections:
            self.count("principal_connections")
            raise TooManyConnections(principal.id, most)
        quota.connections += 1
        return quota

    def unseat(self, quota: Quota | None) -> None:
        """Count a long connection out."""
        if quota is not None:
            quota.connections -= 1

    @contextmanager
    def seated(self, principal: Principal | None) -> Iterator[None]:
        """Count a long connection in for as long as something is done; nobody is not counted.

        Raises:
            TooManyConnections: The principal has as many as it may have.
        """
        quota = None if principal is None else self.seat(principal)
        try:
            yield
        finally:
            self.unseat(quota)

    @property
    def peers(self) -> int:
        """Connections that are open, those between two requests included."""
        return self._own.connections

    # -- rates -----------------------------------------------------------------------------

    def meter(self, principal: Principal | None, remote: str) -> Meter | None:
        """Give what the messages of a caller are measured by; ``None``: nothing is limited."""
        key = _remote(remote) if principal is None else principal.id
        quota = self._quotas.of(key)
        known, meter = self._meters.get(key, (None, None))
        if known is not quota:
            if len(self._meters) >= MAX_METERS:
                self._meters.clear()
            meter = Meter(self._quotas.clock, (quota, self._own)) or None
            self._meters[key] = quota, meter
        return meter

    def request(self, principal: Principal | None, remote: str, size: int) -> Meter | None:
        """Take one request of a caller, who is nobody where no token was shown.

        Raises:
            TooManyRequests: There are too many.
        """
        meter = self.meter(principal, remote)
        if meter is not None and (wait := meter.take(size)):
            raise self.too_many(wait)
        return meter

    def too_many(self, wait_s: float) -> TooManyRequests:
        """Make the refusal of one message, and count it."""
        self.count("rate")
        return TooManyRequests(wait_s)

    def count(self, limit: str) -> None:
        """Count a refusal."""
        self.refused += 1
        self.metrics.refused.labels(self._listener, limit).inc()


class Visit:
    """One connection, from its first byte to its last."""

    __slots__ = ("_admission", "full", "quota")

    def __init__(self, admission: Admission, quota: Quota, full: TooManyConnections | None) -> None:
        """Begin; ``full`` says why it is one too many, if it is."""
        self._admission = admission
        self.quota = quota
        self.full = full

    def enter(self) -> bool:
        """Count it in; false: cut it at once."""
        return self._admission.enter(self)

    def leave(self) -> None:
        """Count it out."""
        self._admission.leave(self)


def _remote(address: str) -> str:
    return REMOTE + address
