"""Seed 001: what crosslink's event hub states and tests, seen on its socket."""

import asyncio
import re

import pytest

from tests.clients.crosslink import of_type
from tests.clients.frames import refusal
from tests.clients.guests import Guests
from tests.conftest import StartDaemon
from tests.daemon import Daemon


TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(\d{3}|\d{6}|\d{9}))?Z")
"""RFC 3339 in UTC, with a fraction of 0, 3, 6 or 9 digits."""

QUICKLY_SILENT = "[presence]\nidle_after_s = 0.5\nstale_after_s = 2.0\ntick_s = 0.05\n"
"""Settings under which silence is noticed within seconds instead of minutes."""


async def test_ws_envelope_contains_seq_and_event_fields(daemon: Daemon, guests: Guests) -> None:
    """The event's fields stand flat beside `seq`, and nothing else does."""
    client, socket = await guests.crosslink(daemon), await guests.crosslink_socket(daemon)
    issue = await client.create("Fix bug")
    assert await socket.receive() == {
        "seq": 1,
        "type": "issue_updated",
        "issue_id": issue,
        "field": "created",
    }


async def test_ws_envelope_seq_increments(daemon: Daemon, guests: Guests) -> None:
    """`seq` starts at 1 on each connection, rises by one per frame and never resets."""
    client, early = await guests.crosslink(daemon), await guests.crosslink_socket(daemon)
    for n in range(5):
        await client.create(f"issue {n}")
    await early.issue_events(5)
    late = await guests.crosslink_socket(daemon)
    for n in range(3):
        await client.create(f"later {n}")
    await early.issue_events(3)
    await late.issue_events(3)
    assert early.seqs() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert late.seqs() == [1, 2, 3]


async def test_ws_envelope_seq_is_not_used_by_filtered_events(
    daemon: Daemon, guests: Guests
) -> None:
    """Events of channels that a client did not subscribe consume no number of its `seq`."""
    client = await guests.crosslink(daemon)
    socket = await guests.crosslink_socket(daemon, "locks")
    for n in range(4):
        await client.create(f"unseen {n}")
        await client.notify_lock(n + 1, "claimed", "worker-1")
    await socket.collect(of_type("lock_changed"), 4)
    assert socket.seqs() == [1, 2, 3, 4]


async def test_ws_envelope_seq_has_no_hole_under_concurrent_writers(
    daemon: Daemon, guests: Guests
) -> None:
    """Every client sees every event once, all in the same order, also when many write at once."""
    client = await guests.crosslink(daemon)
    sockets = [await guests.crosslink_socket(daemon, "issues") for _ in range(5)]
    created = await asyncio.gather(*(client.create(f"issue {n}") for n in range(40)))
    seen = [await socket.issue_events(40) for socket in sockets]
    assert {issue for issue, _ in seen[0]} == set(created)
    assert all(events == seen[0] for events in seen)
    assert sockets[0].seqs() == list(range(1, 41))


async def test_ws_without_subscribe_receives_all_channels(daemon: Daemon, guests: Guests) -> None:
    """A client that never subscribes gets the events of every channel."""
    worker = await guests.rpc(daemon, await daemon.agent_token("worker-1"))
    client, socket = await guests.crosslink(daemon), await guests.crosslink_socket(daemon)
    issue = await client.create("anything")
    await client.notify_lock(issue, "claimed", "worker-1")
    await worker.call("agents.heartbeat", {})
    await socket.expect(of_type("issue_updated"))
    await socket.expect(of_type("lock_changed"))
    await socket.expect(of_type("heartbeat"))


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("agents", {"heartbeat", "agent_status"}),
        ("issues", {"issue_updated"}),
        ("locks", {"lock_changed"}),
        ("execution", set()),
        ("no-such-channel", set()),
    ],
)
async def test_ws_event_channel(
    daemon: Daemon, guests: Guests, channel: str, expected: set[str]
) -> None:
    """A subscription to one channel lets exactly the events of that channel through."""
    client = await guests.crosslink(daemon)
    socket = await guests.crosslink_socket(daemon, channel)
    issue = await client.create("filtered")
    await client.notify_lock(issue, "claimed", "worker-1")
    worker = await guests.rpc(daemon, await daemon.agent_token("worker-1"))
    await worker.call("agents.heartbeat", {"status": "active"})

    await socket.subscribe("issues")
    last = await client.create("the end mark")
    await socket.expect(lambda frame: frame.get("issue_id") == last)
    assert {f["type"] for f in socket.seen[:-1]} == expected
    assert socket.seqs() == list(range(1, len(socket.seen) + 1))


async def test_ws_subscribe_to_nothing_silences(daemon: Daemon, guests: Guests) -> None:
    """An empty list of channels silences all; a later subscribe replaces it."""
    client, socket = await guests.crosslink(daemon), await guests.crosslink_socket(daemon)
    await socket.send({"type": "subscribe", "channels": []})
    await socket.settle()
    await client.create("unheard")
    await socket.subscribe("issues")
    heard = await client.create("heard")
    assert await socket.issue_events(1) == [(heard, "created")]
    assert socket.seqs() == [1]


async def test_ws_later_subscribe_replaces_the_set(daemon: Daemon, guests: Guests) -> None:
    """The channels of an earlier subscribe are gone after the next."""
    client = await guests.crosslink(daemon)
    socket = await guests.crosslink_socket(daemon, "issues", "locks")
    await socket.subscribe("locks")
    issue = await client.create("no longer seen")
    await client.notify_lock(issue, "released", "worker-1")
    await socket.expect(of_type("lock_changed"))
    assert [frame["type"] for frame in socket.seen] == ["lock_changed"]


async def test_ws_subscribe_is_not_acknowledged(daemon: Daemon, guests: Guests) -> None:
    """There is no greeting and no answer to a subscribe."""
    socket = await guests.crosslink_socket(daemon, "agents", "issues", "locks", "execution")
    await socket.settle()
    assert socket.untaken(lambda _: True) == []


IGNORED = (
    "not json",
    "[]",
    "null",
    '"subscribe"',
    '{"type":"subscribe"}',
    '{"type":"subscribe","channels":"issues"}',
    '{"type":"subscribe","channels":[1]}',
    '{"type":"unsubscribe","channels":["issues"]}',
    '{"channels":[]}',
)


async def test_ws_ignores_what_is_not_a_subscribe(daemon: Daemon, guests: Guests) -> None:
    """Malformed text, other types and binary frames change nothing and close nothing."""
    client, socket = await guests.crosslink(daemon), await guests.crosslink_socket(daemon)
    for text in IGNORED:
        await socket.send_text(text)
    await socket.send_bytes(b'{"type":"subscribe","channels":[]}')
    await socket.settle()
    issue = await client.create("still heard")
    assert await socket.issue_events(1) == [(issue, "created")]
    assert socket.seqs() == [1]


async def test_ws_client_close_ends_only_its_own_loop(daemon: Daemon, guests: Guests) -> None:
    """One client's close, polite or not, is nothing to the others."""
    client, stays = await guests.crosslink(daemon), await guests.crosslink_socket(daemon)
    polite, rude = [await guests.crosslink_socket(daemon) for _ in range(2)]
    await polite.close()
    rude.drop()
    issue = await client.create("after")
    assert await stays.issue_events(1) == [(issue, "created")]


async def test_ws_event_to_json_heartbeat(daemon: Daemon, guests: Guests) -> None:
    """A heartbeat names agent, time and active issue; without an issue the key is absent."""
    client = await guests.crosslink(daemon)
    issue = await client.create("worked on")
    worker = await guests.rpc(daemon, await daemon.agent_token("worker-1"))
    socket = await guests.crosslink_socket(daemon, "agents")

    await worker.call("agents.heartbeat", {"active_issue_id": issue})
    beat = await socket.expect(lambda f: "active_issue_id" in f, what="a heartbeat with an issue")
    assert set(beat) == {"seq", "type", "agent_id", "timestamp", "active_issue_id"}
    assert (beat["type"], beat["agent_id"]) == ("heartbeat", "worker-1")
    assert beat["active_issue_id"] == issue
    assert TIMESTAMP.fullmatch(beat["timestamp"])


async def test_ws_event_to_json_heartbeat_without_active_issue(
    daemon: Daemon, guests: Guests
) -> None:
    """`active_issue_id` is left out, not null, when the agent works on nothing."""
    worker = await guests.rpc(daemon, await daemon.agent_token("worker-1"))
    socket = await guests.crosslink_socket(daemon, "agents")
    await worker.call("agents.heartbeat", {})
    beat = await socket.expect(of_type("heartbeat"))
    assert set(beat) == {"seq", "type", "agent_id", "timestamp"}


async def test_ws_event_to_json_agent_status(daemon: Daemon, guests: Guests) -> None:
    """An agent's first heartbeat is followed by its status, with these fields and no others."""
    token = await daemon.agent_token("worker-2")
    socket = await guests.crosslink_socket(daemon, "agents")
    worker = await guests.rpc(daemon, token)
    await worker.call("agents.heartbeat", {})
    await socket.expect(of_type("heartbeat"))
    status = await socket.expect(of_type("agent_status"))
    assert status.pop("seq") > 0
    assert status == {"type": "agent_status", "agent_id": "worker-2", "status": "active"}


async def test_ws_event_agent_status_when_an_agent_falls_silent(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """Silence alone turns an agent idle and then stale; a new sign of life makes it active."""
    daemon = await start_daemon(QUICKLY_SILENT)
    token = await daemon.agent_token("worker-1")
    socket = await guests.crosslink_socket(daemon, "agents")
    worker = await guests.rpc(daemon, token)
    await worker.call("agents.heartbeat", {})
    statuses = [f["status"] for f in await socket.collect(of_type("agent_status"), 3)]
    assert statuses == ["active", "idle", "stale"]
    await worker.call("agents.heartbeat", {})
    assert (await socket.expect(of_type("agent_status")))["status"] == "active"


async def test_ws_event_to_json_issue_updated(daemon: Daemon, guests: Guests) -> None:
    """Each issue call emits exactly the events that it stands for, in order."""
    client = await guests.crosslink(daemon)
    socket = await guests.crosslink_socket(daemon, "issues")
    one, two = await client.create("one"), await client.create("two")
    await client.ok("PATCH", f"/issues/{one}", {"title": "uno"})
    await client.ok("PATCH", f"/issues/{one}", {})
    await client.ok("POST", f"/issues/{one}/comments", {"content": "hm"})
    await client.ok("POST", f"/issues/{one}/labels", {"label": "bug"})
    await client.ok("POST", f"/issues/{one}/labels", {"label": "bug"})
    await client.ok("POST", f"/issues/{one}/block", {"blocker_id": two})
    await client.ok("POST", f"/issues/{one}/close")
    await client.ok("POST", f"/issues/{one}/reopen")
    assert await socket.issue_events(10) == [
        (one, "created"),
        (two, "created"),
        *((one, name) for name in ("updated", "updated", "comments", "labels", "labels")),
        *((one, name) for name in ("blockers", "status", "status")),
    ]


async def test_ws_event_issue_updated_only_on_success(daemon: Daemon, guests: Guests) -> None:
    """A refused call emits nothing."""
    client = await guests.crosslink(daemon)
    socket = await guests.crosslink_socket(daemon, "issues")
    refused = [
        await client.post("/api/v1/issues", {"title": "x" * 513}),
        await client.post("/api/v1/issues", {"title": "x", "priority": "sky-high"}),
        await client.request("PATCH", "/api/v1/issues/99", {"title": "x"}),
        await client.post("/api/v1/issues/99/close"),
        await client.post("/api/v1/issues/99/comments", {"content": "x"}),
        await client.post("/api/v1/locks/notify", {"issue_id": 1, "action": "x", "agent_id": "a"}),
    ]
    assert [answer.status for answer in refused] == [400, 422, 404, 404, 404, 400]
    issue = await client.create("first event")
    assert await socket.issue_events(1) == [(issue, "created")]
    assert socket.seqs() == [1]


async def test_ws_event_to_json_lock_changed(daemon: Daemon, guests: Guests) -> None:
    """`lock_changed` names issue, action and agent; a notify passes it on as it is."""
    client = await guests.crosslink(daemon)
    socket = await guests.crosslink_socket(daemon, "locks")
    await client.notify_lock(5, "claimed", "bot")
    await client.notify_lock(5, "released", "bot")
    claimed, released = await socket.collect(of_type("lock_changed"), 2)
    base = {"type": "lock_changed", "issue_id": 5, "agent_id": "bot"}
    assert claimed == {"seq": 1, "action": "claimed", **base}
    assert released == {"seq": 2, "action": "released", **base}


async def test_ws_event_lock_changed_follows_real_locks(daemon: Daemon, guests: Guests) -> None:
    """A claim and a release by an agent are seen on the socket, and in the list of locks."""
    client = await guests.crosslink(daemon)
    issue = await client.create("to be locked")
    worker = await guests.rpc(daemon, await daemon.agent_token("worker-1"))
    socket = await guests.crosslink_socket(daemon, "locks")

    await worker.call("locks.claim", {"issue_id": issue})
    (lock,) = (await client.ok("GET", "/locks"))["items"]
    assert (lock["issue_id"], lock["agent_id"], lock["is_stale"]) == (issue, "worker-1", False)
    await worker.call("locks.release", {"issue_id": issue})

    events = await socket.collect(of_type("lock_changed"), 2)
    assert [(e["issue_id"], e["action"], e["agent_id"]) for e in events] == [
        (issue, "claimed", "worker-1"),
        (issue, "released", "worker-1"),
    ]
    assert (await client.ok("GET", "/locks"))["items"] == []


async def test_ws_event_agent_status_without_sockets(daemon: Daemon, guests: Guests) -> None:
    """Heartbeats that came while no socket was open neither queue up nor end the watching."""
    worker = await guests.rpc(daemon, await daemon.agent_token("worker-1"))
    await worker.call("agents.heartbeat", {})
    socket = await guests.crosslink_socket(daemon, "agents")
    await worker.call("agents.heartbeat", {})
    await socket.expect(of_type("heartbeat"))
    assert socket.seqs()[0] == 1


async def test_ws_needs_no_token_but_refuses_a_wrong_one(daemon: Daemon) -> None:
    """Both dashboards connect, the one without a token too; a wrong token is a 401."""
    url = daemon.ws_url("crosslink", "/ws")
    assert await _status(url) == 101
    assert await _status(f"{url}?token={daemon.token}") == 101
    assert await _status(f"{url}?token=wrong") == 401


async def test_ws_refuses_a_foreign_origin(daemon: Daemon) -> None:
    """A page of another site cannot open the socket; the listener's own page can."""
    url = daemon.ws_url("crosslink", "/ws")
    assert await _status(url, "http://evil.example") == 403
    assert await _status(url, daemon.url("crosslink")) == 101


async def test_api_requires_the_bearer_token(daemon: Daemon, guests: Guests) -> None:
    """Everything under `/api/` but health is 401 with an empty body without the token."""
    stranger = await guests.crosslink(daemon, "wrong")
    for path in ("/api/v1/issues", "/api/v1/locks", "/api/v1/agents", "/api/v1/nothing"):
        answer = await stranger.get(path)
        assert (answer.status, answer.text) == (401, "")
    health = await stranger.get("/api/v1/health")
    assert (health.status, health.body["status"]) == (200, "ok")


async def _status(url: str, origin: str | None = None) -> int:
    return await refusal(url, headers={"Origin": origin} if origin else None)
