"""An agent that comes back: channels, clients that leave at once, a store that cannot be read."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubbub.core.absences import Absences
from hubbub.core.bus import Bus
from hubbub.core.hub import Hub
from hubbub.core.identity.presence import Presence
from hubbub.core.journal import Journal
from hubbub.core.tracker.issues import Act
from hubbub.core.tracker.locks import Locks
from hubbub.core.tracker.service import IssueDraft, Tracker
from hubbub.core.values import OPERATOR, Principal, uuid7
from hubbub.dialects.base import Connection, Request
from hubbub.dialects.crosslink.frames import EventFrames
from hubbub.dialects.crosslink.session import CrosslinkSession
from hubbub.errors import StoreUnavailable
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.outbox import RecordingOutbox


ISSUES = '{"type":"subscribe","channels":["issues"]}'
LOCKS = '{"type":"subscribe","channels":["locks"]}'


class Room:
    """The services that a session needs, and sessions of one agent."""

    def __init__(self, store: SqliteStore) -> None:
        clock = ManualClock()
        self.store = store
        self.bus = Bus(store)
        self.journal = Journal(store, self.bus, crash=lambda _point: None)
        self.tracker = Tracker(clock)
        self.locks = Locks(self.journal, store, clock)
        parts: dict[str, Any] = dict.fromkeys(Hub.__struct_fields__)
        parts |= {
            "bus": self.bus,
            "journal": self.journal,
            "store": store,
            "presence": Presence(self.journal, store, self.bus, clock),
            "absences": Absences(self.journal, clock),
        }
        self.hub = Hub(**parts)

    def come(
        self, replay: int = 256, *, space: int | None = None
    ) -> tuple[CrosslinkSession, RecordingOutbox]:
        """Open a socket with the agent's token, whose client takes so many frames for now."""
        outbox = RecordingOutbox(space)
        connection = Connection(
            request=Request(method="GET", path="/ws"),
            outbox=outbox,
            principal=Principal(name="ann"),
            close=outbox.close,
        )
        session = CrosslinkSession(self.hub, EventFrames(), connection, replay=replay)
        session.opened()
        return session, outbox

    async def leave(self, session: CrosslinkSession) -> None:
        """End a connection, and let it be stored."""
        session.closed()
        await self.journal.settled()

    async def issue(self) -> int:
        """Open an issue, whose lock somebody claims: two events that this wire shows."""
        act = Act(caller=OPERATOR)
        issue = await self.journal.commit(self.tracker.create(act, IssueDraft(title="t")))
        await self.journal.commit(self.locks.claim(act, issue.id, agent="bo"))
        return issue.id


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Give a room whose agent was here once."""
    store = SqliteStore(
        tmp_path / "hubbub.db", clock=ManualClock(), ids=uuid7, crash=lambda _point: None
    )
    store.start()
    room = Room(store)
    session, _ = room.come()
    await room.journal.settled()
    await room.leave(session)
    yield room
    await room.journal.settled()
    store.close()


def shown(outbox: RecordingOutbox) -> list[str]:
    """Give the types of the frames about issues and locks, and gaps."""
    types = [frame.split(b'"type":"')[1].split(b'"')[0].decode() for frame in outbox.frames]
    return [name for name in types if name in ("issue_updated", "lock_changed", "gap")]


async def heard(room: Room, outbox: RecordingOutbox, count: int) -> list[str]:
    """Give what was shown once so many frames of issues and locks are there."""
    while len(shown(outbox)) < count:
        await outbox.holds(len(outbox.frames) + 1)
    await room.journal.settled()
    return shown(outbox)


async def test_channels_chosen_before_the_past_is_known_hold_for_it(room: Room) -> None:
    """A client that subscribes with its first message is replayed that alone."""
    await room.issue()
    session, outbox = room.come()
    session.received(LOCKS)
    assert await heard(room, outbox, 1) == ["lock_changed"]
    await room.issue()
    assert await heard(room, outbox, 2) == ["lock_changed"] * 2
    await room.leave(session)


async def test_channels_chosen_while_the_past_is_read_hold_from_there(room: Room) -> None:
    """What came before the choice has come; what comes after it is of the new channels."""
    for _ in range(20):
        await room.issue()
    session, outbox = room.come(space=8)
    await outbox.holds(8)
    before = shown(outbox)
    session.received(LOCKS)
    session.received(ISSUES)
    outbox.make_room(None)
    await room.issue()
    after = 21 - before.count("issue_updated")
    found = await heard(room, outbox, len(before) + after)
    assert found == before + ["issue_updated"] * after
    await room.leave(session)


async def test_client_that_leaves_amid_the_past_gets_the_rest_later(room: Room) -> None:
    """Its position is the last event that it was given."""
    for _ in range(20):
        await room.issue()
    session, outbox = room.come(space=8)
    await outbox.holds(8)
    before = shown(outbox)
    await room.leave(session)
    session, outbox = room.come()
    found = before + await heard(room, outbox, 40 - len(before))
    assert found == ["issue_updated", "lock_changed"] * 20
    await room.leave(session)


async def test_client_that_leaves_at_once_has_missed_it_still(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its position is known, and before the past is read: the next one has it."""
    await room.issue()
    session, _ = room.come()
    await room.leave(session)

    async def never(_query: str, /, **_values: object) -> Any:
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(room.store, "rows", never)
        session, outbox = room.come()
        await room.journal.settled()
        await room.leave(session)
    assert outbox.frames == []
    session, outbox = room.come()
    assert await heard(room, outbox, 2) == ["issue_updated", "lock_changed"]
    await room.leave(session)


async def test_too_long_a_past_begins_with_a_gap(room: Room) -> None:
    """One frame says how many events of this wire are left out; the newest follow."""
    for _ in range(3):
        await room.issue()
    session, outbox = room.come(replay=3)
    await outbox.holds(1)
    dropped = msgspec.json.decode(outbox.frames[0])["dropped"]
    # With the agent's own comings and goings there are nine events in all.
    await outbox.holds(1 + 9 - dropped)
    assert (shown(outbox)[0], shown(outbox)[-1]) == ("gap", "lock_changed")
    assert 9 - dropped in (3, 4), "one more may have come while the past was looked at"
    await room.leave(session)


async def test_past_that_cannot_be_read_is_left_out(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client hears what happens from now on."""
    await room.issue()

    async def broken(_query: str, /, **_values: object) -> Any:
        message = "disk"
        raise StoreUnavailable(message)

    with monkeypatch.context() as patch:
        patch.setattr(room.store, "rows", broken)
        session, outbox = room.come()
        await room.journal.settled()
        await room.journal.settled()
        await room.issue()
        assert await heard(room, outbox, 2) == ["issue_updated", "lock_changed"]
    await room.leave(session)
