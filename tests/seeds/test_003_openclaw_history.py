"""Seed 003: history under a byte cap, imports, and the route that a session keeps."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.frames import Frame
from tests.clients.guests import Guests
from tests.clients.model_server import ModelServer
from tests.clients.openclaw import OpenclawSocket, text_of, write_store
from tests.daemon import Daemon
from tests.seeds.conftest import HISTORY_MAX_BYTES


NOW_MS = 1_795_255_200_000
BIG_TEXT = "x" * 4_000


def user_line(number: int) -> Frame:
    """Return a transcript line as the seed writes it: a bare `message`, no `type`."""
    content = [{"type": "text", "text": f"{number}:{BIG_TEXT}"}]
    return {"message": {"role": "user", "content": content, "timestamp": NOW_MS + number}}


@pytest.fixture
async def imported(modelled: Daemon, tmp_path: Path) -> Daemon:
    """The modelled daemon after an import of the seed's session store with its 60 big lines."""
    entry = {"sessionId": "sess-main", "updatedAt": NOW_MS}
    route = {"lastChannel": "whatsapp", "lastTo": "+1555"}
    store = tmp_path / "clawdbot-gw"
    lines = [user_line(n) for n in range(60)]
    write_store(store, {"main": {**entry, **route}}, {"sess-main": lines})
    await modelled.hubbub("import", "clawdbot", str(store))
    return modelled


async def test_history_is_capped_by_bytes(imported: Daemon, guests: Guests) -> None:
    """Of 60 messages of 4 kB the newest that fit into the byte cap come, oldest first."""
    claw = await guests.openclaw(imported)
    history = await claw.call("chat.history", {"sessionKey": "main", "limit": 1000})

    messages = history["messages"]
    size = len(json.dumps(messages, separators=(",", ":"), ensure_ascii=False).encode())
    assert size <= HISTORY_MAX_BYTES
    assert 0 < len(messages) < 60
    numbers = [int(text_of(message).partition(":")[0]) for message in messages]
    assert numbers == list(range(60 - len(messages), 60))
    one_more = len(json.dumps(user_line(0)["message"], separators=(",", ":"))) + 1
    assert size + one_more > HISTORY_MAX_BYTES, "one more message would have fitted"
    assert history["sessionKey"] == "main"
    assert history["sessionId"] == "sess-main"


async def test_history_limit_keeps_the_newest(imported: Daemon, guests: Guests) -> None:
    """`limit` counts from the newest message backwards."""
    claw = await guests.openclaw(imported)
    history = await claw.call("chat.history", {"sessionKey": "main", "limit": 3})
    texts = [text_of(message).partition(":")[0] for message in history["messages"]]
    assert texts == ["57", "58", "59"]
    assert [m["timestamp"] for m in history["messages"]] == [NOW_MS + n for n in (57, 58, 59)]


async def test_history_keeps_at_least_the_last_message(
    modelled: Daemon, guests: Guests, tmp_path: Path
) -> None:
    """A last message that alone exceeds the cap is returned all the same."""
    huge = {"role": "user", "content": "y" * (HISTORY_MAX_BYTES + 10), "timestamp": NOW_MS}
    entries = {"main": {"sessionId": "sess-huge", "updatedAt": NOW_MS}}
    write_store(tmp_path / "s", entries, {"sess-huge": [user_line(0), {"message": huge}]})
    await modelled.hubbub("import", "clawdbot", str(tmp_path / "s"))
    claw = await guests.openclaw(modelled)
    (message,) = (await claw.call("chat.history", {"sessionKey": "main"}))["messages"]
    assert len(text_of(message)) == HISTORY_MAX_BYTES + 10


async def test_history_of_an_unknown_session_is_empty(modelled: Daemon, guests: Guests) -> None:
    """A session that does not exist has no messages and no id."""
    claw = await guests.openclaw(modelled)
    history = await claw.call("chat.history", {"sessionKey": "nowhere"})
    assert (history["messages"], "sessionId" in history) == ([], False)


async def test_history_spells_one_session_in_two_ways(
    modelled: Daemon, guests: Guests, model: ModelServer
) -> None:
    """`main` and `agent:main:main` are one session, each answered in the caller's spelling."""
    model.auto_reply = "hi"
    claw = await guests.openclaw(modelled)
    await claw.chat_send("idem-spelling", "hello", session="main")
    await claw.chat_event("idem-spelling", "final")
    for key in ("main", "agent:main:main"):
        history = await claw.call("chat.history", {"sessionKey": key})
        assert history["sessionKey"] == key
        assert [text_of(m) for m in history["messages"]] == ["hello", "hi"]


async def test_import_reads_a_whole_state_directory(
    modelled: Daemon, guests: Guests, tmp_path: Path
) -> None:
    """Sessions of several agents come in; broken and foreign lines are passed over."""
    for agent in ("main", "scout"):
        folder = tmp_path / "state" / "agents" / agent / "sessions"
        said = {"role": "user", "content": f"I am {agent}", "timestamp": NOW_MS}
        lines: list[Any] = [{"type": "session", "version": 3}, {"type": "message", "message": said}]
        key = f"agent:{agent}:main"
        entries = {key: {"sessionId": f"s-{agent}", "updatedAt": NOW_MS}}
        write_store(folder, entries, {f"s-{agent}": lines})
        with (folder / f"s-{agent}.jsonl").open("a") as transcript:
            transcript.write('\n{"message": {"role": "us')
    await modelled.hubbub("import", "clawdbot", str(tmp_path / "state"))
    claw = await guests.openclaw(modelled)
    assert await claw.texts("agent:main:main") == [("user", "I am main")]
    assert await claw.texts("agent:scout:main") == [("user", "I am scout")]


async def test_importing_twice_adds_nothing(
    imported: Daemon, guests: Guests, tmp_path: Path
) -> None:
    """A second import of the same store leaves each message once."""
    claw = await guests.openclaw(imported)
    before = await claw.texts()
    await imported.hubbub("import", "clawdbot", str(tmp_path / "clawdbot-gw"))
    assert await claw.texts() == before


async def test_send_keeps_the_sessions_route(
    imported: Daemon, guests: Guests, model: ModelServer
) -> None:
    """`lastChannel` and `lastTo` survive a `chat.send` and its run untouched."""
    claw = await guests.openclaw(imported)
    await claw.chat_send("idem-route")
    turn = await model.next_turn()
    assert await _route(claw) == ("whatsapp", "+1555")
    turn.say("hello yourself")
    turn.finish()
    await claw.chat_event("idem-route", "final")
    assert await _route(claw) == ("whatsapp", "+1555")


async def _route(claw: OpenclawSocket) -> tuple[str, str]:
    rows = {row["key"]: row for row in (await claw.call("sessions.list", {}))["sessions"]}
    row = rows["agent:main:main"]
    return row["lastChannel"], row["lastTo"]
