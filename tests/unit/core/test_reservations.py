"""Reservations: who has which paths, until when, under which number."""

import asyncio

import msgspec
import pytest
from msgspec.structs import asdict

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.tracker.issues import Act
from hubbub.core.tracker.locks import Locks
from hubbub.core.tracker.reservation_table import (
    MAX_KNOWN_GLOBS,
    Grant,
    Reservation,
    ReservationTable,
    Wanted,
    check_grant,
    guarded,
)
from hubbub.core.tracker.reservations import Claim, Freed, ReservationRules, Reservations
from hubbub.core.tracker.service import IssueDraft, Tracker
from hubbub.core.values import Principal
from hubbub.errors import (
    Conflict,
    Forbidden,
    IdempotencyConflict,
    InvalidRequest,
    PathsReserved,
    StaleFence,
    StoreUnavailable,
)
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.rooms import ANN, BOB, READER, Told, by


RULES = ReservationRules(
    default_lease_ms=1_000,
    max_lease_ms=5_000,
    max_paths=3,
    max_path_bytes=20,
    max_held=4,
    max_reason_characters=10,
)


class Desk:
    """Reservations, and short words for them."""

    def __init__(self, journal: Journal, service: Reservations) -> None:
        self.journal = journal
        self.service = service

    async def claim(
        self, who: Principal, *paths: str, key: str | None = None, **fields: object
    ) -> Reservation:
        """Reserve paths."""
        claim = msgspec.convert({"paths": list(paths), **fields}, Claim)
        return await self.journal.commit(self.service.claim(by(who, key=key), claim))

    async def renew(self, act: Act, number: int, lease_ms: int | None = None) -> Reservation:
        """Extend a reservation."""
        return await self.journal.commit(self.service.renew(act, number, lease_ms=lease_ms))

    async def release(self, act: Act, number: int) -> Freed:
        """Give paths back."""
        return await self.journal.commit(self.service.release(act, number))


@pytest.fixture
def told(bus: Bus) -> Told:
    """Give a recorder of what reservations tell."""
    return Told(bus, "reservations/*")


@pytest.fixture
def desk(journal: Journal, store: SqliteStore, clock: ManualClock, told: Told) -> Desk:
    """Give reservations with short leases."""
    del told  # listens from the beginning
    return Desk(journal, Reservations(journal, store, clock, rules=RULES))


@pytest.mark.parametrize(
    "wrong", [{"default_lease_ms": 2, "max_lease_ms": 1}, {"max_paths": 0}, {"tick_s": -1}]
)
def test_rules_must_make_sense(wrong: dict[str, float]) -> None:
    """What cannot be is refused when the settings are read."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, ReservationRules)


async def test_free_paths_are_granted(desk: Desk, told: Told, clock: ManualClock) -> None:
    """A claim gives a number and the end of the lease, and is told; globs come sorted, once."""
    given = await desk.claim(ANN, "src/**", "docs/*", "src/**", reason="typos")
    assert given == Reservation(
        id=1,
        agent="ann",
        paths=["docs/*", "src/**"],
        mode="exclusive",
        reason="typos",
        claimed_at=clock.now,
        expires_at=clock.now + 1_000,
    )
    assert told.take() == [("reservation.claimed", msgspec.to_builtins(given))]
    assert await desk.service.list() == [given]


async def test_overlap_of_another_agent_is_refused(desk: Desk) -> None:
    """The refusal says who has what, and until when; shared ones go together."""
    given = await desk.claim(ANN, "src/*.py")
    with pytest.raises(PathsReserved) as refused:
        await desk.claim(BOB, "**/main.py")
    until = f"until {given.expires_at} as reservation 1"
    assert str(refused.value).endswith(f"ann has src/*.py (exclusive) {until}")
    await desk.claim(BOB, "docs/**", mode="shared")
    await desk.claim(ANN, "docs/*.md", mode="shared")
    with pytest.raises(PathsReserved, match=r"bob has docs/\*\* \(shared\)"):
        await desk.claim(ANN, "docs/x", mode="exclusive")
    await desk.claim(ANN, "src/main.py")  # its own do not stand in its way


async def test_same_paths_again_extend_what_one_has(
    desk: Desk, told: Told, clock: ManualClock
) -> None:
    """The number stays, the new end is told; another mode is another reservation."""
    first = await desk.claim(ANN, "a", "b")
    told.take()
    clock.advance(10)
    again = await desk.claim(ANN, "b", "a", lease_ms=5_000, reason="more")
    assert (again.id, again.claimed_at, again.reason) == (first.id, first.claimed_at, "more")
    assert again.expires_at == clock.now + 5_000
    assert told.take() == [("reservation.renewed", asdict(again))]
    assert (await desk.claim(ANN, "a", "b", mode="shared")).id == 2


async def test_renewal_is_the_holders_and_ends_with_the_lease(
    desk: Desk, clock: ManualClock
) -> None:
    """Another agent may not renew; nobody may once it has ended, and there is no second life."""
    given = await desk.claim(ANN, "a")
    clock.advance(999)
    with pytest.raises(Forbidden, match="is ann's"):
        await desk.renew(by(BOB), given.id)
    renewed = await desk.renew(by(ANN), given.id)
    assert renewed.expires_at == clock.now + 1_000
    clock.advance(1_000)
    with pytest.raises(StaleFence, match="reservation 1 is stale: it has ended"):
        await desk.renew(by(ANN), given.id)
    with pytest.raises(StaleFence):
        await desk.renew(by(ANN), 99)
    assert (await desk.claim(BOB, "a")).id == 2


async def test_release_gives_paths_back(desk: Desk, told: Told) -> None:
    """A release is told; only the holder and the operator may; a second one finds nothing."""
    await desk.claim(ANN, "a")
    await desk.claim(ANN, "b")
    told.take()
    with pytest.raises(Forbidden):
        await desk.release(by(BOB), 1)
    assert await desk.release(by(ANN), 1) == Freed(1, released=True)
    assert await desk.release(by(ANN), 1) == Freed(1, released=False)
    assert (await desk.release(by(), 2)).released
    data = {"id": 1, "agent": "ann", "paths": ["a"]}
    assert told.take()[0] == ("reservation.released", data)
    assert await desk.service.list() == []


async def test_end_of_lease_is_told_on_the_clock(
    desk: Desk, told: Told, clock: ManualClock, journal: Journal, store: SqliteStore
) -> None:
    """Whether or not anyone asks; with nothing to end the clock costs no transaction."""
    service = desk.service
    service.tick()
    await journal.settled()
    await desk.claim(ANN, "a")
    await desk.claim(BOB, "b", lease_ms=2_000)
    told.take()
    units = store.units
    clock.advance(999)
    service.tick()
    await journal.settled()
    assert (store.units, told.take()) == (units, [])
    clock.advance(1)
    service.tick()
    await journal.settled()
    data = {"id": 1, "agent": "ann", "paths": ["a"], "reason": "lease ended"}
    assert told.take() == [("reservation.lost", data)]
    clock.advance(1_000)
    service.tick()
    await journal.settled()
    assert told.kinds() == ["reservation.lost"]


async def test_end_of_lease_waits_for_a_store_that_refuses(
    desk: Desk, told: Told, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store could not write, the next tick tries again."""
    await desk.claim(ANN, "a")
    clock.advance(1_000)
    told.take()

    def broken(*_: object) -> None:
        message = "disk full"
        raise StoreUnavailable(message)

    monkeypatch.setattr(desk.service.table, "settle", broken)
    desk.service.tick()
    await desk.journal.settled()
    monkeypatch.undo()
    assert told.take() == []
    desk.service.tick()
    await desk.journal.settled()
    assert told.kinds() == ["reservation.lost"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"paths": []}, "1 to 3 paths"),
        ({"paths": ["a", "b", "c", "d"]}, "1 to 3 paths"),
        ({"paths": ["ä" * 11]}, "longer than 20 bytes"),
        ({"paths": ["/etc"]}, "is no glob"),
        ({"paths": ["a"], "reason": "x" * 11}, "10 characters"),
        ({"paths": ["a"], "lease_ms": 0}, "from 1 to 5000"),
        ({"paths": ["a"], "lease_ms": 5_001}, "from 1 to 5000"),
    ],
)
async def test_limits_are_kept(desk: Desk, fields: dict[str, object], text: str) -> None:
    """What is over a limit is refused at once."""
    with pytest.raises(InvalidRequest, match=text):
        desk.service.claim(by(ANN), msgspec.convert(fields, Claim))


async def test_number_of_reservations_has_a_limit(desk: Desk) -> None:
    """One more than may be held is refused, until one is released."""
    for path in "abcd":
        await desk.claim(ANN, path)
    with pytest.raises(Conflict, match="there are 4 reservations"):
        await desk.claim(BOB, "e")
    await desk.release(by(ANN), 1)
    assert (await desk.claim(BOB, "e")).id == 5


async def test_claim_is_for_oneself(desk: Desk) -> None:
    """The operator names an agent; an agent names no other; a reader claims nothing."""
    assert (await desk.claim(by().caller, "a", agent="ann")).agent == "ann"
    with pytest.raises(Forbidden):
        await desk.claim(BOB, "b", agent="ann")
    with pytest.raises(Forbidden):
        await desk.claim(READER, "b")


async def test_retry_gives_the_first_answer(desk: Desk, clock: ManualClock) -> None:
    """A retried claim is answered as before, also when it has long ended."""
    first = await desk.claim(ANN, "a", key="k")
    clock.advance(2_000)
    assert await desk.claim(ANN, "a", key="k") == first
    with pytest.raises(IdempotencyConflict):
        await desk.claim(ANN, "b", key="k")


async def test_write_under_a_grant_that_ended_is_refused(
    desk: Desk, journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """A claim may be made under a lock or a reservation; what has ended refuses it whole."""
    await journal.commit(Tracker(clock).create(by(), IssueDraft(title="a")))
    lock = await journal.commit(Locks(journal, store, clock).claim(by(ANN), 1, lease_ms=500))
    good = {"issue_id": 1, "fence": lock.fence}
    given = await desk.claim(ANN, "a", under=good)
    await desk.claim(ANN, "b", under={**good, "reservation": given.id})
    clock.advance(500)
    with pytest.raises(StaleFence, match="fence 1 of issue 1"):
        await desk.claim(ANN, "c", under=good)
    await desk.claim(ANN, "c", under={"reservation": given.id})
    clock.advance(500)
    with pytest.raises(StaleFence, match="reservation 1"):
        await desk.claim(ANN, "d", under={"reservation": given.id})
    with pytest.raises(StaleFence):
        await desk.claim(ANN, "d", under={"issue_id": 1})
    assert [one.paths for one in await desk.service.list()] == [["c"]]


async def test_grant_guards_any_unit(desk: Desk, journal: Journal, clock: ManualClock) -> None:
    """Without a grant a unit is as it was; with one that has ended nothing of it is done."""
    await journal.commit(lambda tx: check_grant(tx, None, clock.now))
    done: list[int] = []
    await journal.commit(guarded(lambda _tx: done.append(1), None, clock))
    given = await desk.claim(ANN, "a")
    grant = Grant(reservation=given.id)
    await journal.commit(guarded(lambda _tx: done.append(2), grant, clock))
    await desk.release(by(ANN), given.id)
    with pytest.raises(StaleFence):
        await journal.commit(guarded(lambda _tx: done.append(3), grant, clock))
    assert done == [1, 2]


async def test_claims_at_once_have_one_winner(desk: Desk) -> None:
    """Of many that ask at the same time for the same paths one gets them."""
    names = [Principal(name=f"a{number}") for number in range(8)]
    claims = (desk.claim(name, "src/**") for name in names)
    results = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(isinstance(result, Reservation) for result in results) == 1


def test_parsed_globs_are_forgotten_at_last() -> None:
    """However many globs come, memory keeps a bounded number of them."""
    table = ReservationTable()
    for number in range(MAX_KNOWN_GLOBS + 10):
        wanted = Wanted(agent="ann", paths=[f"f{number}"], mode="exclusive")
        table.against(wanted, ())
    assert len(table._globs) <= MAX_KNOWN_GLOBS + 1  # noqa: SLF001 nothing else shows it
