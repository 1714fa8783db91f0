"""Which faults happen when: a pure function of seed and length.

Faults come one after the other, with quiet in between in which clients come back; but a slow
disk or a wrong clock may last while the next one happens. Each lap has every kind once, in a
new order, so that a short proof meets as many kinds as it can.
"""

import random
from collections.abc import Sequence
from typing import Literal

import msgspec


FaultKind = Literal[
    "kill", "stop", "cut", "stall", "black-hole", "full-disk", "slow-disk", "clock-jump"
]

LENGTHS: dict[FaultKind, tuple[float, float]] = {
    "kill": (0.1, 1.0),
    "stop": (0.5, 4.0),
    "cut": (0.1, 0.3),
    "stall": (0.5, 4.0),
    "black-hole": (0.5, 6.0),
    "full-disk": (0.5, 5.0),
    "slow-disk": (2.0, 5.0),
    "clock-jump": (1.0, 5.0),
}
"""Shortest and longest time of each kind, in seconds; of a kill, the time until the restart."""
QUIET_S = (0.5, 3.0)
"""Shortest and longest quiet after a fault, in seconds."""
LASTING = frozenset(("slow-disk", "clock-jump"))
"""Kinds during which another may happen: a daemon killed in a long commit, or started with a
wrong clock. Not on a full disk: there a daemon cannot start.
"""
OVERLAPS = 0.5
"""Share of them during which another does."""
LEAD_S = 2.0
"""Seconds without a fault at the beginning, so that every client has begun."""
MAX_CLOCK_JUMP_MS = 3_600_000
"""Milliseconds by which the clock is wrong at most; no retention is as short as that."""
MAX_COMMIT_MS = 400
"""Milliseconds that a commit takes on a slow disk at most."""
LONG_FULL_DISK_S = 30.0
"""Seconds of one full disk in a long proof."""
LONG_S = 300.0
"""Seconds from which a proof is a long one."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One fault to come."""

    at: float
    """Seconds after the begin."""
    kind: FaultKind
    length_s: float
    amount: int = 0
    """Milliseconds of a commit on a slow disk, or by which the clock is wrong; percent of the
    connections that are cut.
    """

    @property
    def until(self) -> float:
        """Seconds after the begin at which it is over."""
        return self.at + self.length_s


def plan(seed: int, seconds: float) -> Sequence[Planned]:
    """Plan the faults of a proof; the last one is over before its end.

    Args:
        seconds: Length of the proof.
    """
    dice = random.Random(f"{seed}/{seconds}")  # noqa: S311 to repeat, not to guard
    planned: list[Planned] = []
    at, busy_until = LEAD_S, 0.0
    while True:
        lap = list(LENGTHS)
        dice.shuffle(lap)
        for kind in lap:
            length_s = dice.uniform(*LENGTHS[kind])
            if kind == "full-disk" and seconds >= LONG_S and not _has(planned, kind):
                length_s = LONG_FULL_DISK_S
            fault = Planned(at=at, kind=kind, length_s=length_s, amount=_amount(dice, kind))
            is_first = at > busy_until
            busy_until = max(busy_until, fault.until)
            if busy_until > seconds:
                return planned
            planned.append(fault)
            may_last = is_first and kind in LASTING and kind != lap[-1]
            if may_last and dice.random() < OVERLAPS:
                at = dice.uniform(fault.at, fault.until)
            else:
                at = busy_until + dice.uniform(*QUIET_S)


def _amount(dice: random.Random, kind: FaultKind) -> int:
    if kind == "slow-disk":
        return dice.randint(20, MAX_COMMIT_MS)
    if kind == "cut":
        # Readers came before writers: often they miss what the others go on writing.
        return dice.choice((30, 60, 100))
    if kind == "clock-jump":
        return dice.choice((-1, 1)) * dice.randint(1000, MAX_CLOCK_JUMP_MS)
    return 0


def _has(planned: Sequence[Planned], kind: FaultKind) -> bool:
    return any(fault.kind == kind for fault in planned)
