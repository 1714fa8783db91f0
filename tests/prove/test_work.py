"""What writers do on runs and under locks, with a door that is a script."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from hubbub.prove.desk import Desk, Refused, Stage
from hubbub.prove.doors import tracking
from hubbub.prove.doors.running import Habits, work_on_runs
from hubbub.prove.doors.tracking import ARENAS, Tracker, compete, keep_issues
from hubbub.prove.history import Answered, Asked, History


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """The desk of a writer without any door."""
    async with aiohttp.ClientSession() as http:
        stage = Stage(
            history=History(),
            urls=str,
            tokens=str,
            http=http,
            stopping=asyncio.Event(),
            ended=asyncio.Event(),
            seed=3,
            pause_s=0.0,
        )
        yield Desk("writer", "door", stage)


class Runs:
    """Takes note of calls, and lets the writer stop after some."""

    def __init__(self, desk: Desk, *, refuses: bool = False) -> None:
        self.calls: list[tuple[str, str]] = []
        self._desk = desk
        self._refuses = refuses

    async def start(self, run_id: str) -> str:
        """Start anything."""
        self._note("start", run_id)
        return run_id

    async def record(self, run_id: str, prompt: str, key: str) -> int:
        """Add a turn, or say that the run has ended."""
        self._note("record", run_id)
        if self._refuses:
            message = "run_terminal"
            raise Refused(message)
        return len(self.calls)

    async def complete(self, run_id: str, key: str) -> None:
        """End anything."""
        self._note("complete", run_id)

    async def drop(self) -> None:
        """Take note alone."""
        self._note("drop", "")

    def verbs(self) -> list[str]:
        """Give the calls without their runs."""
        return [verb for verb, _ in self.calls]

    def _note(self, verb: str, run_id: str) -> None:
        self.calls.append((verb, run_id))
        if len(self.calls) >= 20:
            self._desk.stopping.set()


async def test_a_writer_comes_back_to_its_run(desk: Desk) -> None:
    """Who lost its connection starts the same run again, adds its turn, and ends the run."""
    runs = Runs(desk)
    await work_on_runs(desk, runs, Habits(drops=1.0))
    starts = [run_id for verb, run_id in runs.calls if verb == "start"]
    assert starts[0] == starts[1]
    assert runs.verbs()[:4] == ["start", "drop", "start", "record"]
    assert runs.verbs()[-1] == "complete"


async def test_a_writer_leaves_its_run(desk: Desk) -> None:
    """Who leaves a run to its fate goes on with another, and never ends the first."""
    runs = Runs(desk)
    await work_on_runs(desk, runs, Habits(drops=1.0, leaves=1.0))
    assert set(runs.verbs()) == {"start", "drop"}
    starts = [run_id for verb, run_id in runs.calls if verb == "start"]
    assert len(set(starts)) == len(starts)


async def test_a_run_that_has_ended_is_not_ended_again(desk: Desk) -> None:
    """A refused turn ends the work on its run."""
    runs = Runs(desk, refuses=True)
    await work_on_runs(desk, runs, Habits())
    assert runs.verbs() == ["start", "record"] * 10


class House:
    """Issues and locks as they should be; a lease runs until somebody lets it lapse."""

    def __init__(self, desk: Desk, *, renews: bool, calls: int) -> None:
        self.renews = renews
        self.held: dict[int, int] = {}
        self.fence = 0
        self._desk = desk
        self._calls = calls
        self._titles: list[str] = []

    async def create(self, title: str, key: str) -> int:
        """Open an issue; the first is refused."""
        self._titles.append(title)
        if len(self._titles) == 1:
            message = "not yet"
            raise Refused(message)
        return len(self._titles)

    async def comment(self, issue: int, text: str, key: str, fence: int | None = None) -> str:
        """Comment, under the fence that is good."""
        self._calls -= 1
        if self._calls < 0:
            self._desk.stopping.set()
        self._check(issue, fence)
        return text

    async def update(self, issue: int, text: str, key: str, fence: int) -> None:
        """Check the fence."""
        self._check(issue, fence)

    async def close(self, issue: int, key: str) -> None:
        """Close anything."""

    async def claim(self, issue: int, lease_ms: int, key: str) -> int:
        """Give a new fence with each claim."""
        self.fence += 1
        self.held[issue] = self.fence
        return self.fence

    async def renew(self, issue: int, lease_ms: int, fence: int, key: str) -> None:
        """Check the fence."""
        assert self.renews
        self._check(issue, fence)

    async def release(self, issue: int, fence: int, key: str) -> None:
        """End a hold."""
        self._check(issue, fence)
        del self.held[issue]

    async def issues(self) -> list[int]:
        """Give all issues, the newest first."""
        return list(range(len(self._titles), 1, -1))

    def _check(self, issue: int, fence: int | None) -> None:
        if fence is not None and self.held.get(issue) != fence:
            message = "stale"
            raise Refused(message)


@pytest.mark.parametrize("renews", [True, False])
async def test_a_rival_does_what_it_must_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, renews: bool
) -> None:
    """It writes under its grants, extends them, and tries those that it gave back."""
    monkeypatch.setattr(tracking, "LEASE_MS", 1)
    house: Tracker = House(desk, renews=renews, calls=200)
    await compete(desk, house)
    records = desk.history.records
    refused = {r.op for r in records if isinstance(r, Answered) and r.outcome == "refused"}
    fenced = [r for r in records if isinstance(r, Asked) and r.fence is not None]
    written = [r for r in fenced if r.verb == "issue.comment"]
    assert any(r.op in refused for r in written)
    assert any(r.op not in refused for r in written)
    assert not [r for r in fenced if r.op in refused and not r.verb.startswith("issue.")]
    assert any(r.verb == "issue.update" for r in fenced)
    assert any(r.verb == "lock.renew" for r in fenced) is renews
    locks = {r.lock for r in fenced}
    assert locks == {f"locks/{issue}" for issue in range(2, 2 + ARENAS)}


async def test_an_issue_that_was_refused_is_passed_over(desk: Desk) -> None:
    """Only issues that were opened are commented on and closed."""
    await keep_issues(desk, House(desk, renews=True, calls=3))
    verbs = [(r.verb, r.stream) for r in desk.history.records if isinstance(r, Asked)]
    assert verbs[:5] == [
        ("issue.create", ""),
        ("issue.create", ""),
        ("issue.comment", "issues/2"),
        ("issue.close", "issues/2"),
        ("issue.create", ""),
    ]
