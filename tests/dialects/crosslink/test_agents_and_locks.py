"""``/api/v1/agents`` and ``/api/v1/locks``."""

import pytest

from tests.clients.crosslink import of_type
from tests.dialects.crosslink.room import API, Room


MINUTE = 60_000
NOW = "2027-01-15T08:00:00.000Z"


async def test_agents_are_listed_with_what_they_hold(room: Room) -> None:
    """An agent has both names of its id, its locks and, if any, the issue it works on."""
    issue = await room.issue()
    await room.ok("POST", f"/locks/{issue}/claim", {"agent_id": "ann"})
    room.hub.presence.heard("bob", "car", machine_id="host")
    listed = await room.ok("GET", "/agents")
    assert listed["total"] == 2
    assert listed["items"] == [
        {
            "agent_id": "ann",
            "id": "ann",
            "machine_id": "",
            "status": "active",
            "last_heartbeat": NOW,
            "active_issue_id": issue,
            "locks": [issue],
        },
        {
            "agent_id": "bob",
            "id": "bob",
            "machine_id": "host",
            "status": "active",
            "last_heartbeat": NOW,
            "locks": [],
        },
    ]


async def test_agent_detail_is_never_404(room: Room) -> None:
    """A known agent shows its last heartbeat as history; an unknown one is unknown, now."""
    room.hub.presence.heard("bob", "car")
    known = await room.ok("GET", "/agents/bob")
    assert (known["status"], known["heartbeat_history"]) == ("active", [NOW])
    assert "kickoff_status" not in known
    assert await room.ok("GET", "/agents/nobody") == {
        "agent_id": "nobody",
        "id": "nobody",
        "machine_id": "",
        "status": "unknown",
        "last_heartbeat": NOW,
        "locks": [],
        "heartbeat_history": [],
    }


async def test_agent_status_knows_no_terminal(room: Room) -> None:
    """There is neither a work tree nor a terminal here."""
    status = await room.ok("GET", "/agents/bob/status")
    assert status == {
        "agent_id": "bob",
        "id": "bob",
        "kickoff_status": "unknown",
        "tmux_session_active": False,
    }


async def test_agent_that_left_is_stale(room: Room) -> None:
    """This wire has no word for offline."""
    room.hub.presence.attach("ann", "car").detach()
    assert (await room.ok("GET", "/agents/ann"))["status"] == "stale"


async def test_agents_token_makes_it_heard(room: Room) -> None:
    """A request with an agent's own token is an act of that agent."""
    token = await room.agent_token("ann")
    assert (await room.call("GET", f"{API}/issues", token=token)).status == 200
    (agent,) = (await room.ok("GET", "/agents"))["items"]
    assert (agent["agent_id"], agent["status"]) == ("ann", "active")


async def test_claimed_lock_is_listed(room: Room) -> None:
    """A claim answers with the lock and its fence; the list shows the same."""
    issue = await room.issue()
    claimed = await room.ok("POST", f"/locks/{issue}/claim", {"agent_id": "ann", "branch": "b"})
    assert claimed == {
        "issue_id": issue,
        "agent_id": "ann",
        "claimed_at": NOW,
        "signed_by": "",
        "age_seconds": 0,
        "is_stale": False,
        "fence": 1,
        "expires_at": NOW.replace("08:00", "09:00"),
    }
    assert await room.ok("GET", "/locks") == {"items": [claimed], "total": 1}


async def test_staleness_counts_from_claim_or_from_heartbeat(room: Room) -> None:
    """In the list a lock is stale by its age, among the stale ones by its holder's silence."""
    silent, alive = await room.issue("a"), await room.issue("b")
    long = {"lease_ms": 120 * MINUTE}
    await room.ok("POST", f"/locks/{silent}/claim", {"agent_id": "ann", **long})
    await room.ok("POST", f"/locks/{alive}/claim", {"agent_id": "bob", **long})
    room.clock.advance(60 * MINUTE - 1)
    assert [i["is_stale"] for i in (await room.ok("GET", "/locks"))["items"]] == [False, False]
    room.hub.presence.heard("bob", "car")
    room.clock.advance(1)
    locks = (await room.ok("GET", "/locks"))["items"]
    assert [(i["is_stale"], i["age_seconds"]) for i in locks] == [(True, 3600), (True, 3600)]
    stale = (await room.ok("GET", "/locks/stale"))["items"]
    assert [(i["issue_id"], i["is_stale"]) for i in stale] == [(silent, True)]


async def test_lock_of_an_unheard_holder_is_stale_by_its_age(room: Room) -> None:
    """Where the holder was never heard, the claim stands for its heartbeat."""
    issue = await room.issue()
    await room.ok("POST", f"/locks/{issue}/claim", {"lease_ms": 120 * MINUTE})
    room.hub.presence._records.clear()  # noqa: SLF001 as after presence has forgotten the holder
    assert (await room.ok("GET", "/locks/stale"))["items"] == []
    room.clock.advance(60 * MINUTE)
    assert (await room.ok("GET", "/locks/stale"))["total"] == 1


async def test_held_lock_is_a_conflict(room: Room) -> None:
    """The refusal names who holds the lock; a release by another is refused as well."""
    issue = await room.issue()
    await room.ok("POST", f"/locks/{issue}/claim", {"agent_id": "ann"})
    for verb in ("claim", "release"):
        answer = await room.call("POST", f"{API}/locks/{issue}/{verb}", {"agent_id": "bob"})
        assert (answer.status, answer.body["error"]) == (409, "conflict")
        assert answer.body["detail"] == f"issue {issue} is held by ann"


async def test_release_says_whether_there_was_a_lock(room: Room) -> None:
    """A second release succeeds and finds nothing; a wrong fence releases nothing."""
    issue = await room.issue()
    lock = await room.ok("POST", f"/locks/{issue}/claim")
    path = f"/locks/{issue}/release"
    wrong = await room.call("POST", API + path, {"fence": lock["fence"] + 1})
    assert wrong.status == 409
    assert await room.ok("POST", path, {"fence": lock["fence"]}) == {"ok": True, "released": True}
    assert await room.ok("POST", path) == {"ok": True, "released": False}


async def test_steal_takes_the_lock(room: Room) -> None:
    """A steal needs no body; the thief's fence is higher than the one it replaces."""
    issue = await room.issue()
    await room.ok("POST", f"/locks/{issue}/claim", {"agent_id": "ann"})
    socket = await room.socket("locks")
    stolen = await room.ok("POST", f"/locks/{issue}/steal")
    assert (stolen["agent_id"], stolen["fence"]) == ("operator", 2)
    # What the claim tells of its agent may come before the subscription is in force.
    frame = await socket.expect(of_type("lock_changed"))
    del frame["seq"]
    assert frame == {
        "type": "lock_changed",
        "issue_id": issue,
        "action": "claimed",
        "agent_id": "operator",
    }


@pytest.mark.parametrize("verb", ["claim", "steal", "release"])
async def test_agent_locks_only_for_itself(room: Room, verb: str) -> None:
    """A bound agent that names another is refused, and so is its notice in another's name."""
    issue = await room.issue()
    token = await room.agent_token("ann")
    path = f"{API}/locks/{issue}/{verb}"
    answer = await room.call("POST", path, {"agent_id": "bob"}, token=token)
    assert (answer.status, answer.body["error"]) == (403, "forbidden")
    notice = {"issue_id": issue, "action": "claimed", "agent_id": "bob"}
    answer = await room.call("POST", f"{API}/locks/notify", notice, token=token)
    assert answer.status == 403
    assert (await room.call("POST", path, token=token)).status == 200


async def test_notice_is_passed_on(room: Room) -> None:
    """A notice is an event and no lock; the issue need not exist."""
    socket = await room.socket("locks")
    notice = {"issue_id": 77, "action": "released", "agent_id": "bob"}
    assert await room.ok("POST", "/locks/notify", notice) == {"ok": True}
    frame = await socket.next()
    assert frame == {"type": "lock_changed", **notice}
    assert (await room.ok("GET", "/locks"))["total"] == 0
