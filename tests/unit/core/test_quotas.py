"""Token buckets, and the quotas of callers that are made of them."""

import msgspec
import pytest

from hubbub.core.limits import Limits, Rate
from hubbub.core.quotas import Bucket, Meter, Quota, Quotas


NONE = Rate(0, 0)


class Seconds:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Read it."""
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    """Give the clock."""
    return Seconds()


def test_bucket_gives_its_burst_at_once_and_then_its_rate(seconds: Seconds) -> None:
    """Three tokens at two a second: three go at once, the fourth half a second later."""
    bucket = Bucket(Rate(2, 3))
    for _ in range(3):
        assert bucket.wait(seconds(), 1) == 0
        bucket.take(seconds(), 1)

    assert bucket.wait(100.0, 1) == pytest.approx(0.5)
    assert bucket.wait(100.4, 1) == pytest.approx(0.1)
    assert bucket.wait(100.5, 1) == 0


def test_bucket_is_full_again_after_a_pause_and_holds_no_more_than_its_burst() -> None:
    """However long the pause, the burst is what can be taken."""
    bucket = Bucket(Rate(10, 2))
    bucket.take(100.0, 2)
    assert not bucket.is_full(100.1)
    assert bucket.is_full(100.2)

    bucket.take(500.0, 2)

    assert bucket.wait(500.0, 1) == pytest.approx(0.1)


def test_what_is_larger_than_the_burst_goes_when_the_bucket_is_full() -> None:
    """It would wait for ever otherwise; what comes after it pays by waiting longer."""
    bucket = Bucket(Rate(10, 5))
    bucket.take(100.0, 1)
    assert bucket.wait(100.0, 20) == pytest.approx(0.1)

    assert bucket.wait(100.1, 20) == 0
    bucket.take(100.1, 20)

    assert bucket.wait(100.1, 1) == pytest.approx(1.6)


def test_meter_takes_from_all_quotas_or_from_none(seconds: Seconds) -> None:
    """A message that one quota refuses costs the others nothing."""
    mine, shared = Quota(Rate(1, 2), Rate(10, 100)), Quota(Rate(1, 1), NONE)
    meter = Meter(seconds, (mine, shared))
    assert meter
    assert meter.take(10) == 0

    assert meter.take(10) == pytest.approx(1.0)

    assert mine.messages is not None
    assert mine.messages.wait(100.0, 1) == 0


def test_meter_tells_the_longest_wait_of_messages_and_bytes(seconds: Seconds) -> None:
    """Whoever waits as long as it is told gets through."""
    meter = Meter(seconds, (Quota(Rate(100, 100), Rate(10, 20)),))
    assert meter.take(20) == 0

    wait = meter.take(15)

    assert wait == pytest.approx(1.5)
    seconds.now += wait
    assert meter.take(15) == 0


def test_bytes_that_were_not_announced_are_taken_afterwards(seconds: Seconds) -> None:
    """A body that turned out larger than it said makes the next one wait."""
    meter = Meter(seconds, (Quota(NONE, Rate(10, 20)),))
    meter.charge(30)

    assert meter.take(1) == pytest.approx(1.1)


def test_quota_without_rates_measures_nothing(seconds: Seconds) -> None:
    """A rate of 0 is no limit, and a meter of such quotas is false: nobody need ask it."""
    assert not Meter(seconds, (Quota(NONE, NONE),))


def test_caller_has_one_quota_for_as_long_as_it_makes_a_difference(seconds: Seconds) -> None:
    """Who sent something, or has a connection open, is remembered; who is idle is forgotten."""
    limits = Limits(messages_per_s=1, messages_burst=5)
    quotas = Quotas(limits, seconds, max_idle=3)
    busy, here, idle = (quotas.of(key) for key in ("busy", "here", "idle"))
    assert busy.messages is not None
    busy.messages.take(seconds(), 1)
    here.connections += 1

    quotas.of("fourth")

    assert len(quotas) == 3
    assert quotas.of("busy") is busy
    assert quotas.of("here") is here
    assert quotas.of("idle") is not idle


def test_many_callers_that_make_a_difference_are_looked_at_seldom(seconds: Seconds) -> None:
    """Looking for idle ones waits until as many more have come, so that each costs little."""
    quotas = Quotas(Limits(), seconds, max_idle=2)
    for key in ("a", "b", "c", "d"):
        quotas.of(key).connections += 1
    quotas.of("e")
    assert len(quotas) == 5

    quotas.of("f").connections += 1

    assert quotas.of("a").connections == 1
    assert len(quotas) == 6


@pytest.mark.parametrize("name", ["messages", "bytes", "listener_messages", "listener_bytes"])
def test_rate_without_a_burst_cannot_be(name: str) -> None:
    """Nothing could ever be taken; the text says how to set no limit."""
    with pytest.raises(ValueError, match=f"{name}_per_s = 0 sets no limit"):
        msgspec.convert({f"{name}_per_s": 1, f"{name}_burst": 0}, Limits)


@pytest.mark.parametrize("name", ["header_bytes", "max_headers"])
def test_size_of_nothing_cannot_be(name: str) -> None:
    """No request at all would get in."""
    with pytest.raises(ValueError, match=f"{name} = 0 must be more than 0"):
        msgspec.convert({name: 0}, Limits)


def test_limits_give_the_rates_of_callers_and_listeners() -> None:
    """Each rate goes with its own burst."""
    limits = Limits(
        messages_per_s=1,
        messages_burst=2,
        bytes_per_s=3,
        bytes_burst=4,
        listener_messages_per_s=5,
        listener_messages_burst=6,
        listener_bytes_per_s=7,
        listener_bytes_burst=8,
    )

    assert (limits.messages(), limits.bytes()) == (Rate(1, 2), Rate(3, 4))
    assert (limits.listener_messages(), limits.listener_bytes()) == (Rate(5, 6), Rate(7, 8))


def test_who_has_most_connections(seconds: Seconds) -> None:
    """Addresses and principals are told apart; nobody has none."""
    quotas = Quotas(Limits(), seconds)
    assert quotas.most_connections(remote=True) == quotas.most_connections(remote=False) == 0
    for key, count in (("remote:::1", 7), ("remote:10.0.0.1", 2), ("operator", 3), ("agent:a", 1)):
        quotas.of(key).connections = count

    assert quotas.most_connections(remote=True) == 7
    assert quotas.most_connections(remote=False) == 3
