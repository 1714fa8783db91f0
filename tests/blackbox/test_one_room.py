"""One room: topics, messages, issues and locks, done through one door and seen through others."""

import json

from tests.blackbox.room_views import next_data
from tests.clients.crosslink import of_type
from tests.clients.frames import Match
from tests.clients.guests import Guests
from tests.clients.openclaw import is_event, text_of
from tests.clients.x0x import b64, unb64
from tests.daemon import Daemon


class TestPublish:
    """A publish on a topic."""

    async def test_from_x0x_is_seen_by_hubbub_and_the_event_stream(
        self, daemon: Daemon, guests: Guests
    ) -> None:
        """One event with one id reaches `/rpc`, `/events` and the journal; the bytes are kept."""
        rpc, web = await guests.rpc(daemon), await guests.hubbub(daemon)
        await rpc.subscribe("plaza")
        stream = await web.events("/events?topics=plaza")
        assert (await stream.next()).event == "hubbub.resumed"
        await (await guests.x0x(daemon)).publish("plaza", b"\x00raw")
        event = await rpc.event("plaza")
        sse = await stream.next()
        assert sse.data == event
        assert event["data"] == {"payload": b64(b"\x00raw")}
        assert await rpc.journal(topics=["plaza"]) == [event]

    async def test_from_hubbub_is_a_message_to_x0x(self, daemon: Daemon, guests: Guests) -> None:
        """x0x subscribers get the event's data as JSON, in base64, and an origin."""
        socket = await guests.x0x_socket(daemon)
        await socket.subscribe("plaza")
        await (await guests.rpc(daemon)).publish("plaza", {"n": 1})
        assert await next_data(socket) == [("plaza", {"n": 1})]

    async def test_is_nothing_to_the_other_doors(self, daemon: Daemon, guests: Guests) -> None:
        """crosslink, CAR and OpenClaw clients hear nothing of a client's topic."""
        crosslink, claw = await guests.crosslink_socket(daemon), await guests.openclaw(daemon)
        car = await guests.car(daemon)
        await (await guests.rpc(daemon)).publish("plaza", "psst")
        for socket in (crosslink, claw, car):
            await socket.settle()
            assert [f for f in socket.seen if "psst" in json.dumps(f)] == []

    async def test_has_one_order_for_all(self, daemon: Daemon, guests: Guests) -> None:
        """Two writers' events come to an x0x socket and to `/rpc` in one and the same order."""
        rpc, socket = await guests.rpc(daemon), await guests.x0x_socket(daemon)
        await rpc.subscribe("plaza")
        await socket.subscribe("plaza")
        one, two = await guests.rpc(daemon), await guests.x0x_socket(daemon)
        for n in range(100):
            await one.post("topics.publish", {"topic": "plaza", "data": {"n": n}})
            await two.publish("plaza", json.dumps({"m": n}))
        events = [event["data"] for event in await rpc.events(200)]
        seen_by_rpc = [json.loads(unb64(d["payload"])) if "payload" in d else d for d in events]
        assert [data for _, data in await next_data(socket, 200)] == seen_by_rpc


class TestDirectMessage:
    """A direct message to an agent."""

    async def test_is_seen_on_x0x_and_in_the_journal(self, daemon: Daemon, guests: Guests) -> None:
        """The recipient's `/ws/direct` gets it, and the journal holds it once."""
        client = await guests.x0x(daemon)
        socket, rpc = await guests.x0x_socket(daemon, "/ws/direct"), await guests.rpc(daemon)
        await client.send_direct(socket.agent_id, "for you")
        frame = await socket.expect(lambda f: f["type"] == "direct_message")
        assert unb64(frame["payload"]) == b"for you"
        events = [e for e in await rpc.journal() if e["kind"] == "direct.message"]
        assert [unb64(event["data"]["payload"]) for event in events] == [b"for you"]

    async def test_is_told_to_the_host_of_car(self, daemon: Daemon, guests: Guests) -> None:
        """`host.event` names sender and recipient; connections that are no host hear nothing."""
        host, agent = await guests.car_host(daemon), await guests.car(daemon)
        for socket in (host, agent):
            await socket.call("server.handshake", {"protocol_version": 3})
            await socket.call("host.subscribe")
        client = await guests.x0x(daemon)
        reader = await guests.x0x_socket(daemon, "/ws/direct")
        await client.send_direct(reader.agent_id, "for you")
        told = await host.expect(_is_host_event("host.notification"), what="a host.event")
        event = (await (await guests.rpc(daemon)).journal(topics=["direct/*"]))[0]
        params = told["params"]
        assert (params["id"], params["payload"]) == (event["id"], event["data"])
        assert params["agent_id"] == event["data"]["recipient"]
        assert event["data"]["sender"] in params["message"]
        await agent.call("agents.list")
        assert agent.untaken(_is_host_event("host.notification")) == []

    async def test_is_a_system_event_for_openclaw(self, daemon: Daemon, guests: Guests) -> None:
        """It is told as a final of the recipient's main session and stands in its history."""
        await daemon.agent_token("alice")
        claw, rpc = await guests.openclaw(daemon), await guests.rpc(daemon)
        other = await guests.openclaw(daemon, auth={"token": await daemon.agent_token("bob")})
        params = {"to": "alice", "payload": b64(b"for you")}
        sent = await rpc.call("direct.send", params)
        told = await claw.chat_event(f"direct-{sent['message_id']}", "final")
        line = "System: direct message from operator: for you"
        assert (told["sessionKey"], text_of(told["message"])) == ("agent:alice:main", line)
        assert await claw.texts("agent:alice:main") == [("system", line)]
        assert await other.texts("agent:alice:main") == []
        assert other.untaken(is_event("chat")) == []


def _is_host_event(kind: str) -> Match:
    return lambda frame: frame.get("method") == "host.event" and frame["params"]["kind"] == kind


class TestIssue:
    """An issue changes."""

    async def test_from_crosslink_is_a_topic(self, daemon: Daemon, guests: Guests) -> None:
        """x0x and hubbub see `issues/<n>` change when crosslink's REST changes it."""
        client, rpc = await guests.crosslink(daemon), await guests.rpc(daemon)
        socket = await guests.x0x_socket(daemon)
        await rpc.subscribe("issues/*")
        await socket.subscribe("issues/1")
        issue = await client.create("seen by all")
        assert issue == 1
        ((topic, seen),) = await next_data(socket)
        assert (topic, seen["issue_id"], seen["field"]) == ("issues/1", 1, "created")
        assert seen["issue"]["title"] == "seen by all"
        event = await rpc.event("issues/1", "issue.changed")
        assert event["data"] == seen

    async def test_from_hubbub_is_crosslinks_event(self, daemon: Daemon, guests: Guests) -> None:
        """`issues.*` on `/rpc` shows on crosslink's socket and in its REST."""
        rpc, crosslink = await guests.rpc(daemon), await guests.crosslink_socket(daemon, "issues")
        issue = (await rpc.call("issues.create", {"title": "from rpc"}))["id"]
        await rpc.call("issues.close", {"id": issue})
        assert await crosslink.issue_events(2) == [(issue, "created"), (issue, "status")]
        shown = await (await guests.crosslink(daemon)).ok("GET", f"/issues/{issue}")
        assert (shown["title"], shown["status"]) == ("from rpc", "closed")


class TestLock:
    """A lock is claimed, released, stolen, lost."""

    async def test_life_of_a_lock_is_seen_everywhere(self, daemon: Daemon, guests: Guests) -> None:
        """Claim, steal and release show as topic `locks/<n>` and as crosslink's lock events."""
        alice = await guests.rpc(daemon, await daemon.agent_token("alice"))
        bob = await guests.rpc(daemon, await daemon.agent_token("bob"))
        crosslink = await guests.crosslink_socket(daemon, "locks")
        issue = await (await guests.crosslink(daemon)).create("guarded")
        socket = await guests.x0x_socket(daemon)
        await socket.subscribe(f"locks/{issue}")

        first = await alice.call("locks.claim", {"issue_id": issue})
        held = await bob.fail("locks.claim", {"issue_id": issue})
        assert held["data"]["code"] == "lock_held"
        second = await bob.call("locks.steal", {"issue_id": issue, "reason": "alice is away"})
        assert second["fence"] > first["fence"]
        await bob.call("locks.release", {"issue_id": issue, "fence": second["fence"]})

        story = [data for _, data in await next_data(socket, 3)]
        assert [data["agent"] for data in story] == ["alice", "bob", "bob"]
        events = await crosslink.collect(of_type("lock_changed"), 3)
        assert [(e["action"], e["agent_id"]) for e in events[::2]] == [
            ("claimed", "alice"),
            ("released", "bob"),
        ]
        assert (events[1]["action"], events[1]["agent_id"]) == ("claimed", "bob")

    async def test_lease_that_runs_out_is_lost_and_seen(
        self, daemon: Daemon, guests: Guests
    ) -> None:
        """A lock whose lease ends is told as lost, and as released to crosslink."""
        alice = await guests.rpc(daemon, await daemon.agent_token("alice"))
        crosslink, rpc = await guests.crosslink_socket(daemon, "locks"), await guests.rpc(daemon)
        issue = await (await guests.crosslink(daemon)).create("leased")
        await rpc.subscribe(f"locks/{issue}")
        await alice.call("locks.claim", {"issue_id": issue, "lease_ms": 1_000})
        assert (await rpc.event(f"locks/{issue}", "lock.lost"))["data"]["agent"] == "alice"
        released = await crosslink.expect(lambda f: f.get("action") == "released")
        assert released["agent_id"] == "alice"

    async def test_stale_fence_is_refused(self, daemon: Daemon, guests: Guests) -> None:
        """A write that presents an old grant's number is refused and changes nothing."""
        alice = await guests.rpc(daemon, await daemon.agent_token("alice"))
        bob = await guests.rpc(daemon, await daemon.agent_token("bob"))
        issue = await (await guests.crosslink(daemon)).create("guarded")
        old = (await alice.call("locks.claim", {"issue_id": issue}))["fence"]
        await bob.call("locks.steal", {"issue_id": issue, "reason": "mine now"})
        write = {"id": issue, "title": "too late", "fence": old}
        error = await alice.fail("issues.update", write)
        assert error["data"]["code"] == "stale_fence"
        assert (await bob.call("issues.get", {"id": issue}))["title"] == "guarded"
