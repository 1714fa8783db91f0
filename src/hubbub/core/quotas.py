"""How much of the daemon one caller may take: token buckets, and connections that are open.

A bucket holds up to a burst of tokens and is refilled at a rate. It is kept as one number, the
instant at which it will be full again, so that taking from it is one comparison and one addition.
Nothing here waits or refuses: who asks is told for how long it has to wait.
"""

from collections.abc import Callable, Sequence

from hubbub.core.limits import Limits, Rate


Seconds = Callable[[], float]
"""A clock that never goes back, in seconds."""

MAX_IDLE_QUOTAS = 10_000
"""Callers that are remembered; those that take nothing and have nothing open are forgotten."""


REMOTE = "remote:"
"""Beginning of the keys of addresses."""


class Bucket:
    """Tokens that are refilled at a steady rate, up to a burst."""

    __slots__ = ("_burst_s", "_cost_s", "full_at")

    def __init__(self, rate: Rate) -> None:
        """Begin full.

        Args:
            rate: Tokens per second, over 0, and the most that are held.
        """
        self._cost_s = 1 / rate.per_s
        self._burst_s = rate.burst / rate.per_s
        self.full_at = 0.0
        """When it will be full again, on the clock that it is asked by."""

    def wait(self, now: float, tokens: int) -> float:
        """Give the seconds until this many tokens can be taken; 0: now.

        What is larger than the burst may go when the bucket is full; those after it wait longer.
        """
        ahead = self.full_at - now
        if ahead <= 0:
            return 0.0
        late = ahead + tokens * self._cost_s - self._burst_s
        return 0.0 if late <= 0 else min(late, ahead)

    def take(self, now: float, tokens: int) -> None:
        """Take tokens, also where it has not so many: then others wait until it has."""
        full_at = self.full_at
        self.full_at = (max(now, full_at)) + tokens * self._cost_s

    def is_full(self, now: float) -> bool:
        """Say whether nothing was taken for long enough."""
        return self.full_at <= now


class Quota:
    """What one caller, or one listener, has taken."""

    __slots__ = ("bytes", "connections", "messages")

    def __init__(self, messages: Rate, data: Rate) -> None:
        """Begin with nothing taken."""
        self.messages = Bucket(messages) if messages.per_s else None
        self.bytes = Bucket(data) if data.per_s else None
        self.connections = 0
        """Connections that are open."""

    def is_idle(self, now: float) -> bool:
        """Say whether forgetting this and beginning anew would make no difference."""
        buckets = (self.messages, self.bytes)
        return not self.connections and all(b is None or b.is_full(now) for b in buckets)


class Meter:
    """Takes each message from several quotas: from all of them, or from none."""

    __slots__ = ("_bytes", "_clock", "_messages")

    def __init__(self, clock: Seconds, quotas: Sequence[Quota]) -> None:
        """Take from these quotas."""
        self._clock = clock
        self._messages = tuple(q.messages for q in quotas if q.messages is not None)
        self._bytes = tuple(q.bytes for q in quotas if q.bytes is not None)

    def __bool__(self) -> bool:
        """Say whether there is anything to be taken from."""
        return bool(self._messages or self._bytes)

    def take(self, size: int) -> float:
        """Take one message of this many bytes.

        Returns:
            0, or the seconds to wait before it can be taken; then nothing was.
        """
        now = self._clock()
        late = 0.0
        for bucket in self._messages:
            if bucket.full_at > now and (wait := bucket.wait(now, 1)) > late:
                late = wait
        for bucket in self._bytes:
            if bucket.full_at > now and (wait := bucket.wait(now, size)) > late:
                late = wait
        if late:
            return late
        for bucket in self._messages:
            bucket.take(now, 1)
        for bucket in self._bytes:
            bucket.take(now, size)
        return 0.0

    def charge(self, size: int) -> None:
        """Take bytes of a message that has come already and turned out larger than it said."""
        now = self._clock()
        for bucket in self._bytes:
            bucket.take(now, size)


class Quotas:
    """The quotas of all callers, by a key of theirs."""

    def __init__(self, limits: Limits, clock: Seconds, max_idle: int = MAX_IDLE_QUOTAS) -> None:
        """Begin with nobody."""
        self.clock = clock
        self._limits = limits
        self._max_idle = self._look_at = max_idle
        self._quotas: dict[str, Quota] = {}

    def of(self, key: str) -> Quota:
        """Give the quota of a caller, the same for as long as it makes a difference.

        Args:
            key: A principal's id, or an address as ``remote:127.0.0.1``.
        """
        quota = self._quotas.get(key)
        if quota is None:
            if len(self._quotas) >= self._look_at:
                self._forget()
            limits = self._limits
            quota = self._quotas[key] = Quota(limits.messages(), limits.bytes())
        return quota

    def most_connections(self, *, remote: bool) -> int:
        """Count the open connections of who has most: of addresses, or of principals."""
        return max(
            (
                quota.connections
                for key, quota in self._quotas.items()
                if key.startswith(REMOTE) == remote
            ),
            default=0,
        )

    def __len__(self) -> int:
        """Count the callers that are remembered."""
        return len(self._quotas)

    def _forget(self) -> None:
        """Drop who is idle; look again once as many have come as are left."""
        now = self.clock()
        self._quotas = {key: q for key, q in self._quotas.items() if not q.is_idle(now)}
        self._look_at = max(self._max_idle, 2 * len(self._quotas))
