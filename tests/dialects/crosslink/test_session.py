"""The session alone: what happens within one tick of the loop."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from hubbub.core.audience import give_each
from hubbub.core.bus import Bus
from hubbub.core.hub import Hub
from hubbub.core.values import Event, uuid7
from hubbub.dialects.base import Connection, Request
from hubbub.dialects.crosslink.frames import EventFrames
from hubbub.dialects.crosslink.session import CrosslinkSession
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.outbox import RecordingOutbox


def changed(issue: int) -> Event:
    """Make the event of a new issue."""
    data = msgspec.json.encode({"issue_id": issue, "field": "created"})
    return Event(issue, "i", f"issues/{issue}", "issue.changed", "a", 0, msgspec.Raw(data))


async def test_resubscribing_keeps_what_this_tick_has_told(tmp_path: Path) -> None:
    """Events told before and after a change of channels, in one tick, all arrive, once each."""
    told: list[Callable[[], None]] = []

    def at_the_end_of_the_tick(*fan_out: Any) -> None:
        told.append(lambda: give_each(*fan_out))

    store = SqliteStore(
        tmp_path / "hubbub.db", clock=ManualClock(), ids=uuid7, crash=lambda _point: None
    )
    bus = Bus(store, at_the_end_of_the_tick)
    parts: dict[str, Any] = {**dict.fromkeys(Hub.__struct_fields__), "bus": bus}
    outbox = RecordingOutbox()
    request = Request(method="GET", path="/ws")
    connection = Connection(request=request, outbox=outbox, principal=None, close=outbox.close)
    session = CrosslinkSession(Hub(**parts), EventFrames(), connection, replay=256)

    session.opened()
    bus.tell(changed(1))
    session.received('{"type":"subscribe","channels":["issues","locks"]}')
    bus.tell(changed(2))
    session.received('{"type":"subscribe","channels":[]}')
    bus.tell(changed(3))
    for write in told:
        write()

    numbers = [msgspec.json.decode(frame)["issue_id"] for frame in outbox.frames]
    assert numbers == [1, 2]
    session.closed()
    store.close()
