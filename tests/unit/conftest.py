"""The real core on a real SQLite file, with a clock that the test sets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.values import uuid7
from hubbub.storage.sqlite import SqliteStore


class ManualClock:
    """Unix milliseconds that move only when the test says so."""

    def __init__(self, now: int = 1_800_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        """Tell the time."""
        return self.now

    def advance(self, ms: int) -> None:
        """Let milliseconds pass."""
        self.now += ms


class CrashPoints:
    """Records the points that were passed; raises at one that the test names."""

    def __init__(self) -> None:
        self.passed: list[str] = []

    def __call__(self, point: str) -> None:
        """Pass a point."""
        self.passed.append(point)


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that the test sets."""
    return ManualClock()


@pytest.fixture
def crash() -> CrashPoints:
    """Give a recorder of crash points."""
    return CrashPoints()


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """Give the path of the store's file."""
    return tmp_path / "hubbub.db"


@pytest.fixture
def opened_store(store_path: Path, clock: ManualClock, crash: CrashPoints) -> Iterator[SqliteStore]:
    """Give a store whose writer does not run yet."""
    store = SqliteStore(store_path, clock=clock, ids=uuid7, crash=crash)
    yield store
    store.close()


@pytest.fixture
async def store(opened_store: SqliteStore) -> SqliteStore:
    """Give a store that takes units of work."""
    opened_store.start()
    return opened_store


@pytest.fixture
def bus(store: SqliteStore) -> Bus:
    """Give a bus that nobody hears yet."""
    return Bus(store)


@pytest.fixture
def journal(store: SqliteStore, bus: Bus, crash: CrashPoints) -> Journal:
    """Give the journal that joins both."""
    return Journal(store, bus, crash=crash)
