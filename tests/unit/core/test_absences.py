"""Where clients left off that cannot say it: taken once, never told twice."""

from collections.abc import Callable

import msgspec
import pytest

from hubbub.core.absences import DEFAULT_RULES, AbsenceRules, Absences
from hubbub.core.journal import Journal
from hubbub.core.ports import Settled, Store, Transaction
from hubbub.errors import StoreUnavailable
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock


class Room:
    """The service, and what each coming was told."""

    def __init__(self, journal: Journal, clock: ManualClock) -> None:
        self.journal = journal
        self.clock = clock
        self.absences = Absences(journal, clock)

    def restarted(self, rules: AbsenceRules = DEFAULT_RULES) -> "Room":
        """Give a later daemon on the same store."""
        later = Room(self.journal, self.clock)
        later.absences = Absences(self.journal, self.clock, rules=rules)
        return later

    async def came(self, identity: str = "ann") -> int | None:
        """Let an identity come and give what it is replayed from."""
        told: list[int | None] = []
        self.absences.came("door", identity, told.append)
        await self.journal.settled()
        (seq,) = told
        return seq

    async def left(self, told: int, identity: str = "ann") -> None:
        """Let an identity leave."""
        self.absences.left("door", identity, told)
        await self.journal.settled()


@pytest.fixture
def room(journal: Journal, clock: ManualClock) -> Room:
    """Give the service with nobody here."""
    return Room(journal, clock)


async def test_first_coming_has_nothing_to_replay(room: Room) -> None:
    """Who was never here has missed nothing; another door's identity is another one."""
    assert await room.came() is None
    await room.left(7)
    told: list[int | None] = []
    room.absences.came("other", "ann", told.append)
    await room.journal.settled()
    assert told == [None]


async def test_position_is_taken_once(room: Room) -> None:
    """The next connection begins where the last one ended, and the one after it where that did."""
    await room.came()
    await room.left(7)
    assert await room.came() == 7
    await room.left(9)
    assert await room.came() == 9


async def test_second_connection_at_a_time_replays_nothing(room: Room) -> None:
    """What one of them hears, the identity has heard; it leaves off where the last one does."""
    await room.came()
    await room.left(7)
    assert await room.came() == 7
    assert await room.came() is None
    await room.left(8)
    assert await room.came() is None
    await room.left(9)
    await room.left(11)
    assert await room.came() == 11


async def test_who_was_here_at_a_crash_was_told_all_that_was_stored(room: Room) -> None:
    """A later daemon begins after its predecessor's last event: nothing is told twice."""
    await room.came()
    await room.came("bo")
    await room.left(3, "bo")
    later = room.restarted()
    await later.absences.load(20)
    assert await later.came() == 20
    assert await later.came("bo") == 3


async def test_identity_is_forgotten_after_its_time(room: Room) -> None:
    """Up to its last millisecond an absence is remembered."""
    room = room.restarted(AbsenceRules(remember_s=10))
    await room.came()
    await room.left(7)
    room.clock.advance(10_000)
    assert await room.came() == 7
    await room.left(8)
    room.clock.advance(10_001)
    assert await room.came() is None
    await room.left(9)
    room.clock.advance(10_001)
    later = room.restarted(AbsenceRules(remember_s=10))
    await later.absences.load(20)
    assert await later.came() is None


async def test_longest_absent_make_room(room: Room) -> None:
    """Beyond the limit the oldest absence goes; who is here stays."""
    room = room.restarted(AbsenceRules(max_identities=2))
    await room.came("here")
    for identity in ("ann", "bo", "cy"):
        room.clock.advance(1)
        await room.came(identity)
        await room.left(7, identity)
    assert await room.came("cy") == 7
    assert await room.came("ann") is None
    await room.left(5, "here")
    assert await room.came("here") == 5


async def test_position_that_could_not_be_taken_is_not_taken_later(
    room: Room, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk refuses, a client hears all that happens: its old position is void."""
    await room.came()
    await room.left(7)

    with monkeypatch.context() as broken:
        broken.setattr(store, "submit", _refusing(store))
        assert await room.came() is None
        await room.left(8)
    assert await room.came() is None
    await room.left(9)
    assert await room.came() == 9


@pytest.mark.parametrize("name", ["remember_s", "max_identities"])
def test_rules_that_remember_nobody_are_refused(name: str) -> None:
    """Both limits are over 0."""
    with pytest.raises(ValueError, match="must be over 0"):
        msgspec.convert({name: 0}, AbsenceRules)


def _refusing(
    store: Store,
) -> Callable[[Callable[[Transaction], object], Callable[[Settled], None]], None]:
    """Give a ``submit`` whose units all fail as on a full disk."""
    submit = store.submit

    def refuse(_unit: object, done: Callable[[Settled], None]) -> None:
        def fail(_tx: Transaction) -> None:
            message = "disk full"
            raise StoreUnavailable(message)

        submit(fail, done)

    return refuse
