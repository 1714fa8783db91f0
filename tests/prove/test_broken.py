"""A proof finds each promise that a daemon was built to break, and none that it keeps."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from hubbub.prove.checker.violations import KINDS, ViolationKind
from hubbub.prove.desk import Client, Desk
from hubbub.prove.doors import hubbub
from hubbub.prove.run import Outcome, Progress, Work, prove
from hubbub.prove.schedule import FaultKind, Planned
from tests.prove.broken import BREAKS


SECONDS = 5.0
"""Length of a proof here; whoever breaks a promise does so again and again."""
PAUSE_S = 0.05
"""Seconds between two requests of a writer: more in less time."""


def every(
    seconds: float, kind: FaultKind, length_s: float = 0.1, *, amount: int = 0
) -> Sequence[Planned]:
    """Plan one fault again and again."""
    count = int((SECONDS - length_s) / seconds)
    return [
        Planned(at=seconds * (number + 1), kind=kind, length_s=length_s, amount=amount)
        for number in range(count)
    ]


SLOW = Planned(at=0.0, kind="slow-disk", length_s=SECONDS, amount=100)
"""Answers take a while, so that faults meet them on their way, and commits have many events."""

CASES: dict[str, tuple[ViolationKind, Sequence[Planned]]] = {
    "answer_before_commit": ("acknowledged but lost", every(1.5, "full-disk", 0.5)),
    "forget_keys": ("executed twice", [SLOW, *every(0.7, "cut", amount=100)]),
    "skip_at_the_seam": ("hole after resume", every(0.7, "cut", amount=30)),
    "repeat_at_the_seam": ("delivered twice", every(0.7, "cut", amount=30)),
    "swap_events": ("out of order", [SLOW]),
    "grant_twice": ("lock held by two", ()),
    "accept_any_fence": ("stale fence accepted", ()),
    "leave_turns_open": ("run stuck", [SLOW, *every(1.2, "kill")]),
    "take_turns_twice": ("executed twice", ()),
}
"""Of each broken daemon: what must be found, and the faults under which it shows."""


class Crowd:
    """Hubbub's own door with a second rival, so that two want the same locks."""

    name = "hubbub"
    readers = hubbub.DOOR.readers

    @property
    def writers(self) -> dict[str, Client]:
        """Give the door's own, and one more."""
        return {**hubbub.DOOR.writers, "hubbub-second-rival": hubbub.rival}

    async def look(self, desk: Desk) -> None:
        """See what the door shows."""
        await hubbub.DOOR.look(desk)


async def proved(folder: Path, faults: Sequence[Planned], *command: str) -> Outcome:
    """Prove a daemon at hubbub's own door."""
    work = Work(
        seed=1,
        seconds=SECONDS,
        faults=faults,
        doors=[Crowd()],
        folder=folder,
        command=(sys.executable, *command),
        pause_s=PAUSE_S,
    )
    return await prove(work, _unheard)


def _unheard(_: Progress) -> None:
    """Nobody watches."""


@pytest.mark.parametrize("name", CASES)
async def test_a_broken_promise_is_found(name: str, tmp_path: Path) -> None:
    """Each daemon that breaks one promise is told from one that keeps it, within a minute."""
    kind, faults = CASES[name]
    found: set[ViolationKind] = set()
    for attempt in range(4):  # a fault may miss what it should meet, on a busy machine
        folder = tmp_path / str(attempt)
        folder.mkdir()
        outcome = await proved(folder, faults, "-m", "tests.prove.broken", name)
        found |= {violation.kind for violation in outcome.violations}
        if kind in found:
            break
    assert kind in found


def test_every_promise_and_every_broken_daemon_has_a_case() -> None:
    """A judge that no daemon has ever failed before may be blind."""
    assert CASES.keys() == BREAKS.keys()
    assert {kind for kind, _ in CASES.values()} == set(KINDS)


async def test_a_whole_daemon_keeps_every_promise_under_the_same_faults(tmp_path: Path) -> None:
    """What is found in the others is their own doing."""
    faults = [
        SLOW,
        *every(1.9, "kill"),
        *every(0.7, "cut", amount=60),
        *every(1.5, "full-disk", 0.5),
    ]
    outcome = await proved(tmp_path, faults, "-m", "hubbub.prove.subject")
    assert not outcome.violations
    assert len(outcome.records) > 100
