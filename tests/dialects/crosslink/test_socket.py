"""``/ws``: who may open it, what it hears, and how it counts."""

import pytest

from hubbub.dialects.crosslink.settings import CrosslinkSettings
from tests.clients.frames import refusal
from tests.dialects.crosslink.room import TOKEN, Room


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, 101),
        (f"?token={TOKEN}", {}, 101),
        ("?token=wrong", {}, 401),
        ("?token=", {}, 401),
        ("", {"Authorization": f"Bearer {TOKEN}"}, 101),
        ("", {"Authorization": "Bearer wrong"}, 401),
        ("", {"Authorization": "Basic x"}, 401),
        ("", {"Origin": "http://HOST"}, 101),
        ("", {"Origin": "http://evil.example"}, 403),
        (f"?token={TOKEN}", {"Origin": "http://evil.example"}, 403),
        ("", {"Origin": "http://localhost:5173"}, 401),
        (f"?token={TOKEN}", {"Origin": "http://localhost:5173"}, 101),
        ("", {"Origin": "null"}, 403),
    ],
)
async def test_upgrade(room: Room, query: str, headers: dict[str, str], status: int) -> None:
    """No token is fine, but not from a page of another host; a wrong one never is."""
    headers = {name: value.replace("HOST", room.address) for name, value in headers.items()}
    assert await refusal(f"ws://{room.address}/ws{query}", headers=headers or None) == status


async def test_development_server_on_our_host_needs_no_token(room: Room) -> None:
    """The page of 0.8, which sends none, works from its development server."""
    url = f"ws://{room.address}/ws".replace("127.0.0.1", "localhost")
    assert await refusal(url, headers={"Origin": "http://localhost:5173"}) == 101


async def test_seq_counts_what_is_sent(room: Room) -> None:
    """Numbers start at 1 and have no hole, whatever the filter left out."""
    socket = await room.socket("locks", "nonsense")
    for n in range(3):
        await room.issue(f"unseen {n}")
        notice = {"issue_id": n, "action": "claimed", "agent_id": "a"}
        await room.ok("POST", "/locks/notify", notice)
    for n in range(3):
        assert (await socket.next())["issue_id"] == n
    assert socket.seqs() == [1, 2, 3]


async def test_change_of_channels_loses_nothing_of_what_stays(room: Room) -> None:
    """A client that resubscribes in the midst of events sees each event of both sets once."""
    socket = await room.socket("issues")
    sets = (["issues", "locks"], ["issues"], ["agents", "issues"])
    for n in range(60):
        await socket.send({"type": "subscribe", "channels": sets[n % 3]})
        await room.issue(f"issue {n}")
    events = await socket.issue_events(60)
    assert events == [(n + 1, "created") for n in range(60)]


async def test_binary_and_other_messages_are_ignored(room: Room) -> None:
    """Nothing but a subscribe changes anything, and nothing closes the connection."""
    socket = await room.socket("issues")
    await socket.send_bytes(b'{"type":"subscribe","channels":[]}')
    for text in ("", "x", "[]", '{"type":"ping"}', '{"channels":[]}'):
        await socket.send_text(text)
    await socket.settle()
    await room.issue()
    assert (await socket.next())["field"] == "created"


async def test_too_large_a_message_closes(room: Room) -> None:
    """A message over the limit closes with 1009."""
    socket = await room.socket()
    await socket.send_text(" " * (CrosslinkSettings().max_message_bytes + 1))
    assert (await socket.closed())[0] == 1009


async def test_agent_on_the_socket_is_here(room: Room) -> None:
    """A socket with an agent's token is a connection of that agent, until it ends."""
    watcher = await room.socket("agents")
    token = await room.agent_token("ann")
    socket = await room.socket(query=f"?token={token}")
    assert (await watcher.next())["type"] == "heartbeat"
    status = {"type": "agent_status", "agent_id": "ann", "status": "active"}
    assert await watcher.next() == status
    room.clock.advance(10_000)
    await socket.send({"type": "subscribe", "channels": []})
    assert (await watcher.next())["type"] == "heartbeat"
    await socket.close()
    assert await watcher.next() == {**status, "status": "stale"}


async def test_silence_is_told_without_anyone_asking(room: Room) -> None:
    """An agent that falls silent goes idle, then stale, on the clock."""
    watcher = await room.socket("agents")
    room.hub.presence.heard("ann", "x0x")
    assert [(await watcher.next())["type"] for _ in range(2)] == ["heartbeat", "agent_status"]
    for minutes, status in ((5, "idle"), (25, "stale")):
        room.clock.advance(minutes * 60_000)
        room.hub.presence.tick()
        frame = await watcher.next()
        assert (frame["type"], frame["status"]) == ("agent_status", status)
