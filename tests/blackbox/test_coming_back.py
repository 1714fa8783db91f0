"""Promise 2 at the doors whose clients cannot name a position, and over a long absence."""

from pathlib import Path
from typing import Any

import pytest

from hubbub.core.ports import Settled, Transaction
from hubbub.core.values import uuid7, wall_clock
from hubbub.storage.sqlite import SqliteStore
from tests.clients.crosslink import CrosslinkSocket, of_type
from tests.clients.guests import Guests
from tests.clients.openclaw import OpenclawSocket
from tests.clients.rpc import RpcSocket, is_event
from tests.clients.x0x import b64
from tests.conftest import StartDaemon
from tests.daemon import Daemon


MANY = 100_000


def publish_many(path: Path, topic: str, count: int) -> None:
    """Put events into the journal of a daemon that does not run."""
    store = SqliteStore(path, clock=wall_clock, ids=uuid7, crash=lambda _point: None)

    def publish(tx: Transaction) -> None:
        for number in range(count):
            tx.append(topic, "message", number, actor="operator")

    def done(settled: Settled) -> None:
        assert settled.error is None

    store.submit(publish, done)
    store.start()
    store.close()


@pytest.mark.timeout(120)
async def test_hundred_thousand_missed_events_arrive(daemon: Daemon, guests: Guests) -> None:
    """Over `/rpc` with `after` and over `/events` with `Last-Event-ID`: all, once, in order."""
    place = await (await guests.rpc(daemon)).publish("many", "first")
    daemon.kill()
    publish_many(daemon.data_dir / "hubbub.db", "many", MANY)
    await daemon.start()

    rpc, web = await guests.rpc(daemon), await guests.hubbub(daemon)
    assert (await rpc.subscribe("many", after=place["position"]))["recovered"] is True
    assert [event["data"] for event in await rpc.events(MANY)] == list(range(MANY))
    await rpc.publish("many", "last")
    assert (await rpc.event())["data"] == "last"

    headers = {"Last-Event-ID": place["cursor"]}
    stream = await web.events("/events?topics=many", headers=headers)
    resumed = await stream.next()
    assert (resumed.event, resumed.data["recovered"]) == ("hubbub.resumed", True)
    missed = [sse.data["data"] for sse in await stream.collect(MANY + 1)]
    assert missed == [*range(MANY), "last"]


async def test_x0x_stream_hears_after_a_crash_what_it_heard_before(
    daemon: Daemon, guests: Guests
) -> None:
    """A client that only reopens its stream, and one that subscribes anew, miss and double none."""
    x0x = await guests.x0x(daemon)
    stream = await x0x.subscribed_events("a", "b")
    await x0x.publish("a", "1")
    last_id = (await stream.next()).id
    await x0x.publish("b", "2")
    daemon.kill()
    await daemon.start()
    x0x = await guests.x0x(daemon)
    await x0x.publish("a", "3")

    stream = await x0x.events("/events", headers={"Last-Event-ID": last_id})
    assert (await stream.next()).data["recovered"] is True
    missed = [event.data["data"]["payload"] for event in await stream.collect(2)]
    assert missed == [b64("2"), b64("3")]
    for topic in ("a", "b"):
        await x0x.post("/subscribe", {"topic": topic})
    await x0x.publish_all("b", ["4", "5"])
    live = [event.data["data"]["payload"] for event in await stream.collect(2)]
    assert live == [b64("4"), b64("5")]


# -- crosslink -----------------------------------------------------------------------------


async def watch(daemon: Daemon, guests: Guests, token: str) -> CrosslinkSocket:
    """Open the event socket as an agent."""
    socket = await CrosslinkSocket.open(daemon.ws_url("crosslink", f"/ws?token={token}"))
    return await guests._open.enter_async_context(socket)  # noqa: SLF001 it is theirs


async def test_crosslink_agent_is_told_what_it_missed(daemon: Daemon, guests: Guests) -> None:
    """Issues, locks and statuses since its last connection, once, under the new one's numbers."""
    token = await daemon.agent_token("ann")
    tracker = await guests.crosslink(daemon)
    issue = await tracker.create("one")
    socket = await watch(daemon, guests, token)
    await tracker.ok("POST", f"/issues/{issue}/close")
    assert await socket.issue_events(1) == [(issue, "status")]
    await socket.close()

    await tracker.ok("POST", f"/issues/{issue}/reopen")
    await tracker.ok("POST", f"/locks/{issue}/claim", {"agent_id": "bo"})
    again = await watch(daemon, guests, token)
    await tracker.ok("POST", f"/issues/{issue}/labels", {"label": "live"})
    shown = ("issue_updated", "lock_changed")
    frames = await again.collect(of_type(*shown), 3)
    assert [frame.get("field", frame.get("action")) for frame in frames] == [
        "status",
        "claimed",
        "labels",
    ]
    assert again.seqs() == list(range(1, len(again.seen) + 1))
    await again.close()

    third = await watch(daemon, guests, token)
    await tracker.ok("POST", f"/issues/{issue}/close")
    await third.issue_events(1)
    assert [frame["type"] for frame in third.seen if frame["type"] in shown] == ["issue_updated"]


async def test_crosslink_agent_that_was_here_at_a_crash_is_told_what_came_after(
    daemon: Daemon, guests: Guests
) -> None:
    """What it was told before is not told again; what happened before it was back is."""
    token = await daemon.agent_token("ann")
    tracker = await guests.crosslink(daemon)
    socket = await watch(daemon, guests, token)
    issue = await tracker.create("one")
    assert await socket.issue_events(1) == [(issue, "created")]
    daemon.kill()
    await daemon.start()
    tracker = await guests.crosslink(daemon)
    await tracker.ok("POST", f"/issues/{issue}/close")
    again = await watch(daemon, guests, token)
    await tracker.ok("POST", f"/issues/{issue}/reopen")
    assert await again.issue_events(2) == [(issue, "status")] * 2
    assert again.untaken(of_type("issue_updated", "gap")) == []


async def test_crosslink_absence_beyond_the_ring_is_a_gap(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """The newest events come, and before them one frame says how many do not."""
    daemon = await start_daemon("[dialects.crosslink]\nring_events = 5\n")
    token = await daemon.agent_token("ann")
    tracker = await guests.crosslink(daemon)
    socket = await watch(daemon, guests, token)
    await tracker.create("seen")
    await socket.issue_events(1)
    await socket.close()
    for n in range(8):
        await tracker.create(f"missed {n}")
    again = await watch(daemon, guests, token)
    (gap,) = await again.collect(of_type("gap"), 1)
    created: list[int] = []
    while 9 not in created:
        ((number, field),) = await again.issue_events(1)
        assert field == "created"
        created.append(number)
    assert gap["seq"] == 1
    # The agent's own coming and going may have taken places in the ring.
    assert created == list(range(10 - len(created), 10))
    assert 0 < len(created) <= 5
    assert gap["dropped"] >= 8 - 5


async def test_who_shows_no_agents_token_begins_at_now(daemon: Daemon, guests: Guests) -> None:
    """The operator's token is many clients': each of them hears what happens from now on."""
    tracker = await guests.crosslink(daemon)
    for token in (daemon.token, ""):
        query = f"?token={token}" if token else ""
        for _ in range(2):
            url = daemon.ws_url("crosslink", f"/ws{query}")
            async with await CrosslinkSocket.open(url) as socket:
                await socket.settle()
                issue = await tracker.create("now")
                assert await socket.issue_events(1) == [(issue, "created")]
            await tracker.create("away")


# -- OpenClaw ------------------------------------------------------------------------------


AT_ONCE = "[dialects.openclaw]\nfinal_delay_ms = 0\n"
"""Ends of turns are told when they are stored, not a moment later to whoever is here then."""


def instance(name: str) -> dict[str, Any]:
    """Give the connect parameters of a program that names itself, as the terminal client does."""
    client = {"id": "gateway-client", "version": "1", "platform": "linux", "mode": "ui"}
    return {"client": {**client, "instanceId": name}}


async def finished(rpc: RpcSocket, key: str, session: str = "main") -> None:
    """Have the echo agent take a turn to its end."""
    params = {"session": session, "message": f"say {key}", "idempotency_key": key}
    await rpc.call("chat.send", params)
    await rpc.expect(is_event(None, "chat.final"), what="the end of the turn")


def chats(socket: OpenclawSocket) -> list[tuple[str, str, str]]:
    """Give run, session and state of the chat events so far, deltas left out."""
    payloads = [frame["payload"] for frame in socket.seen if frame.get("event") == "chat"]
    return [(p["runId"], p["sessionKey"], p["state"]) for p in payloads if p["state"] != "delta"]


async def heard(socket: OpenclawSocket, rpc: RpcSocket, key: str) -> list[tuple[str, str, str]]:
    """Give what a client has been told once it has heard the end of one more turn."""
    await finished(rpc, key)
    await socket.chat_event(key, "final")
    seqs = [frame["seq"] for frame in socket.seen if "seq" in frame]
    assert seqs == list(range(1, len(seqs) + 1))
    return chats(socket)


@pytest.mark.parametrize("crash", [False, True])
async def test_openclaw_client_is_told_the_turns_that_ended_meanwhile(
    start_daemon: StartDaemon,
    guests: Guests,
    crash: bool,  # noqa: FBT001 a parameter of the test
) -> None:
    """Each once, under the session key that its sender wrote; also after a crash of the daemon."""
    daemon = await start_daemon(AT_ONCE)
    tui = await guests.openclaw(daemon, **instance("i"))
    rpc = await guests.rpc(daemon)
    await rpc.subscribe("chat/*")
    assert await heard(tui, rpc, "seen") == [("seen", "main", "final")]
    if crash:
        daemon.kill()
        await daemon.start()
        rpc = await guests.rpc(daemon)
        await rpc.subscribe("chat/*")
    else:
        await tui.close()
    await finished(rpc, "missed")
    await rpc.call("chat.inject", {"session": "main", "message": "note"})

    again = await guests.openclaw(daemon, **instance("i"))
    first, note, live = await heard(again, rpc, "live")
    assert first == ("missed", "main", "final")
    assert (note[0].startswith("inject-"), note[2]) == (True, "final")
    assert live == ("live", "main", "final")
    message = (await again.expect(lambda f: f.get("event") == "chat"))["payload"]["message"]
    assert message["content"][0]["text"].endswith("say missed")
    await again.close()

    third = await guests.openclaw(daemon, **instance("i"))
    assert await heard(third, rpc, "later") == [("later", "main", "final")]


async def test_openclaw_client_that_names_nothing_begins_at_now(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """Without an instance or a device, as another instance, and from the command line."""
    daemon = await start_daemon(AT_ONCE)
    rpc = await guests.rpc(daemon)
    await rpc.subscribe("chat/*")
    cli = {"client": {**instance("c")["client"], "mode": "cli"}}
    for number, changes in enumerate(({}, {}, instance("x"), instance("y"), cli, cli)):
        socket = await guests.openclaw(daemon, **changes)
        assert [run for run, *_ in await heard(socket, rpc, f"live-{number}")] == [f"live-{number}"]
        await socket.close()
        await finished(rpc, f"away-{number}")


async def test_openclaw_client_gets_no_more_than_the_newest(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """`replay_events` bounds what a long absence is worth; there is no gap in the numbers."""
    daemon = await start_daemon(f"{AT_ONCE}replay_events = 2\n")
    tui = await guests.openclaw(daemon, **instance("i"))
    rpc = await guests.rpc(daemon)
    await rpc.subscribe("chat/*")
    await heard(tui, rpc, "seen")
    await tui.close()
    for key in ("a", "b", "c"):
        await finished(rpc, key)
    again = await guests.openclaw(daemon, **instance("i"))
    assert [run for run, *_ in await heard(again, rpc, "live")] == ["b", "c", "live"]
