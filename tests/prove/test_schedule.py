"""The faults of a proof are decided by its seed."""

import itertools

import pytest

from hubbub.prove import schedule
from hubbub.prove.schedule import LASTING, LENGTHS, MAX_CLOCK_JUMP_MS, MAX_COMMIT_MS, plan


@pytest.mark.parametrize("seconds", [60, 600])
def test_the_same_seed_gives_the_same_faults(seconds: int) -> None:
    """A proof can be repeated."""
    assert plan(7, seconds) == plan(7, seconds)
    assert plan(7, seconds) != plan(8, seconds)


@pytest.mark.parametrize("seed", range(20))
def test_a_minute_meets_every_kind(seed: int) -> None:
    """The shortest proof that counts leaves no kind out."""
    assert {fault.kind for fault in plan(seed, 60)} == set(LENGTHS)


@pytest.mark.parametrize("seed", range(20))
def test_faults_come_one_after_the_other_and_end_in_time(seed: int) -> None:
    """Clients come back between two faults; only a slow disk or a wrong clock may last."""
    faults = plan(seed, 120)
    for fault, following in itertools.pairwise(faults):
        assert fault.at < following.at
        if fault.until + schedule.QUIET_S[0] > following.at:
            assert fault.kind in LASTING
            assert following.at < fault.until
    assert all(fault.until <= 120 for fault in faults)
    assert faults[0].at >= schedule.LEAD_S


def test_some_daemons_are_killed_in_a_long_commit_or_with_a_wrong_clock() -> None:
    """The two together are worse than one after the other."""
    pairs = {
        (fault.kind, following.kind)
        for seed in range(20)
        for fault, following in itertools.pairwise(plan(seed, 120))
        if following.at < fault.until
    }
    assert {("slow-disk", "kill"), ("clock-jump", "kill")} <= pairs
    assert not any(following in LASTING and first == following for first, following in pairs)


@pytest.mark.parametrize("seed", range(20))
def test_three_faults_never_meet(seed: int) -> None:
    """Then nobody could say which of them it was."""
    for first, _, third in zip(*(plan(seed, 300)[n:] for n in range(3)), strict=False):
        assert third.at > first.until


@pytest.mark.parametrize("seed", range(20))
def test_amounts_are_within_their_bounds(seed: int) -> None:
    """A clock that is never days wrong, a commit that is never minutes long."""
    for fault in plan(seed, 600):
        shortest, longest = LENGTHS[fault.kind]
        assert shortest <= fault.length_s <= max(longest, schedule.LONG_FULL_DISK_S)
        if fault.kind == "clock-jump":
            assert 0 < abs(fault.amount) <= MAX_CLOCK_JUMP_MS
        elif fault.kind == "slow-disk":
            assert 0 < fault.amount <= MAX_COMMIT_MS
        elif fault.kind == "cut":
            assert 0 < fault.amount <= 100
        else:
            assert fault.amount == 0


def test_a_long_proof_has_a_disk_that_is_full_for_long() -> None:
    """Once; the others are short."""
    full = [fault.length_s for fault in plan(3, 600) if fault.kind == "full-disk"]
    assert full.count(schedule.LONG_FULL_DISK_S) == 1
    assert len(full) > 1


def test_a_moment_has_no_faults() -> None:
    """Nothing fits in."""
    assert not plan(1, 1)
