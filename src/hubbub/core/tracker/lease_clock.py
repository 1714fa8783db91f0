"""How lease time is judged: by time that passes, not by what a clock is set to.

Lease time is Unix time in milliseconds as it was when the daemon started, and what has passed
since. So a clock that is set ends no lease early and makes none longer, and nobody loses a lock
to a jump. What ``expires_at`` shows differs from the system's clock by such a jump until the
daemon starts anew; then leases go by the clock as it is, and none is longer than the longest
that may be asked for.
"""

import time

from hubbub.core.values import Clock


def lease_clock(wall: Clock, steady: Clock) -> Clock:
    """Make the clock of leases.

    Args:
        wall: Unix milliseconds; read once.
        steady: Milliseconds that only grow, from any beginning.
    """
    offset = wall() - steady()
    return lambda: offset + steady()


def steady_clock() -> int:
    """Give milliseconds that pass also while the machine sleeps, where the system has such."""
    # Linux has BOOTTIME for this; what macOS calls MONOTONIC goes on in sleep.
    number = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(number) // 1_000_000
