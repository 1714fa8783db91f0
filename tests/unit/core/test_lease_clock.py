"""Lease time passes, whatever the clock is set to."""

from hubbub.core.tracker.lease_clock import lease_clock, steady_clock
from tests.unit.conftest import ManualClock


def test_lease_time_ignores_that_the_clock_is_set() -> None:
    """It begins as the clock stands, and goes on with what passes."""
    wall, steady = ManualClock(1_000_000), ManualClock(50)
    leases = lease_clock(wall, steady)
    assert leases() == 1_000_000
    wall.advance(-900_000)
    steady.advance(7)
    assert leases() == 1_000_007
    wall.advance(9_000_000)
    assert leases() == 1_000_007


def test_steady_time_only_grows() -> None:
    """Two readings never go back."""
    first = steady_clock()
    assert first <= steady_clock()
