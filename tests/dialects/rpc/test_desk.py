"""The desks alone: what is kept of an agent that has left."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubbub.core.audience import give_each
from hubbub.core.bus import Bus
from hubbub.core.chat.attached import AttachedAgents
from hubbub.core.hub import Hub
from hubbub.core.ports import RunnerTurn
from hubbub.core.values import Event, uuid7
from hubbub.dialects.rpc.desk import Desks
from hubbub.dialects.rpc.settings import RpcSettings
from hubbub.errors import RunnerFailed
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.outbox import RecordingOutbox


async def test_desk_goes_with_its_agent_and_its_last_turn(tmp_path: Path) -> None:
    """Its agent's place is free at once; the desk stays until the end of its turn is stored."""
    store = SqliteStore(
        tmp_path / "hubbub.db", clock=ManualClock(), ids=uuid7, crash=lambda _point: None
    )
    bus = Bus(store, give_each)
    attached = AttachedAgents()
    parts: dict[str, Any] = {**dict.fromkeys(Hub.__struct_fields__), "bus": bus}
    desks = Desks(Hub(**{**parts, "attached": attached}), RpcSettings())
    desk, _ = desks.attach("parrot", "one", "c1", RecordingOutbox())
    assert attached.get("parrot") is desks.get("parrot") is desk

    desk.closed("c1")

    assert attached.get("parrot") is desks.get("parrot") is None

    outbox = RecordingOutbox()
    desk, _ = desks.attach("parrot", "one", "c2", outbox)
    turn = RunnerTurn(run_id="r1", agent="parrot", session_key="s", message="hi")
    said = asyncio.ensure_future(anext(desk.chat(turn)))
    while not outbox.answers:  # noqa: ASYNC110 the turn is handed out when the loop comes to it
        await asyncio.sleep(0)
    desk.leave()
    with pytest.raises(RunnerFailed):
        await said
    assert attached.get("parrot") is None
    assert desks.get("parrot") is desk

    end = msgspec.Raw(msgspec.json.encode({"run_id": "r1"}))
    bus.tell(Event(1, "e", "chat/s", "chat.error", "parrot", 0, end))

    assert desks.get("parrot") is None
    store.close()
