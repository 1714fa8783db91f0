"""``/api/v1/issues``: shapes, filters and the events of each call."""

from typing import Any

import pytest

from tests.dialects.crosslink.room import API, Room


NOW = "2027-01-15T08:00:00.000Z"


async def test_new_issue_has_all_keys(room: Room) -> None:
    """An issue comes back with 200, keys without a value null, times in RFC 3339."""
    assert await room.ok("POST", "/issues", {"title": "Fix bug", "unknown": 1}) == {
        "id": 1,
        "title": "Fix bug",
        "description": None,
        "status": "open",
        "priority": "medium",
        "parent_id": None,
        "created_at": NOW,
        "updated_at": NOW,
        "closed_at": None,
    }


async def test_detail_leaves_the_milestone_out(room: Room) -> None:
    """The detail adds labels, comments, blockers, blocking and subissues, and no milestone."""
    one, two = await room.issue("one"), await room.issue("two")
    await room.ok("POST", f"/issues/{one}/subissue", {"title": "below", "priority": None})
    await room.ok("POST", f"/issues/{one}/labels", {"label": "b"})
    await room.ok("POST", f"/issues/{one}/labels", {"label": "a"})
    await room.ok("POST", f"/issues/{one}/comments", {"content": "hm", "kind": None})
    await room.ok("POST", f"/issues/{one}/block", {"blocker_id": two})
    detail = await room.ok("GET", f"/issues/{one}")
    assert "milestone" not in detail
    assert detail["labels"] == ["a", "b"]
    assert (detail["blockers"], detail["blocking"]) == ([two], [])
    comment = {"id": 1, "issue_id": one, "content": "hm", "created_at": NOW, "kind": "note"}
    assert detail["comments"] == [comment]
    (below,) = detail["subissues"]
    assert (below["title"], below["parent_id"], below["created_at"]) == ("below", one, NOW)
    assert (await room.ok("GET", f"/issues/{two}"))["blocking"] == [one]


async def test_list_has_labels_and_counts_blockers(room: Room) -> None:
    """Lists stand in an envelope, newest first, with labels and the number of blockers."""
    one, two = await room.issue("one"), await room.issue("two", parent_id=1)
    await room.ok("POST", f"/issues/{one}/labels", {"label": "bug"})
    await room.ok("POST", f"/issues/{one}/block", {"blocker_id": two})
    listed = await room.ok("GET", "/issues")
    assert listed["total"] == 2
    assert [item["id"] for item in listed["items"]] == [two, one]
    assert (listed["items"][1]["labels"], listed["items"][1]["blocker_count"]) == (["bug"], 1)
    assert (listed["items"][0]["labels"], listed["items"][0]["blocker_count"]) == ([], 0)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [3, 2, 1]),
        ("?status=all", [3, 2, 1]),
        ("?status=open", [3, 2]),
        ("?status=closed", [1]),
        ("?status=archived", []),
        ("?label=bug", [2]),
        ("?priority=critical", [3]),
        ("?priority=nonsense", []),
        ("?parent_id=1", [2]),
        ("?search=THREE", [3]),
        ("?search=e&status=nonsense", [3, 1]),
        ("?search=e&status=open", [3]),
        ("?unknown=1", [3, 2, 1]),
    ],
)
async def test_list_filters(room: Room, query: str, numbers: list[int]) -> None:
    """Each filter narrows the list; with a search an unknown status is not looked at."""
    await room.issue("one")
    await room.issue("two", parent_id=1)
    await room.issue("three", priority="critical")
    await room.ok("POST", "/issues/2/labels", {"label": "bug"})
    await room.ok("POST", "/issues/1/close")
    assert [item["id"] for item in (await room.ok("GET", f"/issues{query}"))["items"]] == numbers


async def test_ready_and_blocked(room: Room) -> None:
    """The two lists part the open issues; their paths are not taken for numbers."""
    for title in ("one", "two", "three"):
        await room.issue(title)
    await room.ok("POST", "/issues/1/block", {"blocker_id": 2})
    await room.ok("POST", "/issues/3/close")
    blocked, ready = await room.ok("GET", "/issues/blocked"), await room.ok("GET", "/issues/ready")
    assert ([i["id"] for i in blocked["items"]], blocked["total"]) == ([1], 1)
    assert [i["id"] for i in ready["items"]] == [2]


async def test_patch_takes_null_for_unchanged(room: Room) -> None:
    """Null and a missing key leave a field; an empty text clears a description."""
    issue = await room.issue("one", description="d", priority="low")
    room.clock.advance(1_000)
    patched = await room.ok("PATCH", f"/issues/{issue}", {"title": None, "priority": "critical"})
    assert (patched["title"], patched["description"]) == ("one", "d")
    assert (patched["priority"], patched["updated_at"]) == ("critical", NOW.replace("00.0", "01.0"))
    assert (await room.ok("PATCH", f"/issues/{issue}", {"description": ""}))["description"] == ""


async def test_close_and_reopen_need_no_body(room: Room) -> None:
    """Status changes answer with the issue."""
    issue = await room.issue()
    closed = await room.ok("POST", f"/issues/{issue}/close")
    assert (closed["status"], closed["closed_at"]) == ("closed", NOW)
    reopened = await room.ok("POST", f"/issues/{issue}/reopen")
    assert (reopened["status"], reopened["closed_at"]) == ("open", None)


async def test_labels_with_slashes_can_be_removed(room: Room) -> None:
    """A label is decoded once from the path."""
    issue = await room.issue()
    await room.ok("POST", f"/issues/{issue}/labels", {"label": "a/b %41"})
    assert await room.ok("DELETE", f"/issues/{issue}/labels/a%2Fb%20%2541") == {"ok": True}
    assert (await room.ok("GET", f"/issues/{issue}"))["labels"] == []


async def test_comments_of_an_intervention(room: Room) -> None:
    """What an intervention adds is there, and absent elsewhere."""
    issue = await room.issue()
    body = {"content": "no", "kind": "intervention", "trigger_type": "redirect"}
    comment = await room.ok("POST", f"/issues/{issue}/comments", body)
    assert comment["trigger_type"] == "redirect"
    assert "intervention_context" not in comment
    assert "author" not in comment
    assert (await room.ok("GET", f"/issues/{issue}/comments"))["items"] == [comment]


Call = tuple[str, str, object]

EVENTS: dict[str, tuple[Call, list[tuple[int, str]]]] = {
    "create": (("POST", "/issues", {"title": "x"}), [(3, "created")]),
    "create below": (("POST", "/issues", {"title": "x", "parent_id": 1}), [(3, "created")]),
    "subissue": (
        ("POST", "/issues/1/subissue", {"title": "x"}),
        [(1, "subissues"), (3, "created")],
    ),
    "patch": (("PATCH", "/issues/1", {"title": "y"}), [(1, "updated")]),
    "empty patch": (("PATCH", "/issues/1", {}), [(1, "updated")]),
    "close": (("POST", "/issues/1/close", None), [(1, "status")]),
    "reopen": (("POST", "/issues/1/reopen", None), [(1, "status")]),
    "delete": (("DELETE", "/issues/1", None), [(1, "deleted")]),
    "comment": (("POST", "/issues/1/comments", {"content": "x"}), [(1, "comments")]),
    "label": (("POST", "/issues/1/labels", {"label": "x"}), [(1, "labels")]),
    "label again": (("POST", "/issues/1/labels", {"label": "bug"}), [(1, "labels")]),
    "unlabel": (("DELETE", "/issues/1/labels/bug", None), [(1, "labels")]),
    "block": (("POST", "/issues/2/block", {"blocker_id": 1}), [(2, "blockers")]),
    "block again": (("POST", "/issues/2/block", {"blocker_id": 1}), [(2, "blockers")]),
    "unblock": (("DELETE", "/issues/2/block/1", None), [(2, "blockers")]),
}


@pytest.mark.parametrize("name", list(EVENTS))
async def test_events_of_a_call(room: Room, name: str) -> None:
    """Each call emits exactly its events, in order, after which the next call's follow."""
    await room.issue("one")
    await room.issue("two")
    await room.ok("POST", "/issues/1/labels", {"label": "bug"})
    if name in ("unblock", "block again"):
        await room.ok("POST", "/issues/2/block", {"blocker_id": 1})
    socket = await room.socket("issues")
    (method, path, body), expected = EVENTS[name]
    await room.ok(method, path, body)
    end = await room.issue("the end mark")
    assert await socket.issue_events(len(expected) + 1) == [*expected, (end, "created")]


REPEATED: list[Call] = [
    ("POST", "/issues", {"title": "x"}),
    ("POST", "/issues/1/subissue", {"title": "x"}),
    ("PATCH", "/issues/1", {"title": "y"}),
    ("POST", "/issues/1/close", None),
    ("POST", "/issues/1/reopen", None),
    ("POST", "/issues/1/comments", {"content": "x"}),
    ("POST", "/issues/1/labels", {"label": "x"}),
    ("DELETE", "/issues/1/labels/bug", None),
    ("POST", "/issues/1/block", {"blocker_id": 2}),
    ("POST", "/locks/1/claim", None),
    ("POST", "/locks/1/steal", {"agent_id": "ann"}),
    ("POST", "/locks/1/release", None),
    ("POST", "/locks/notify", {"issue_id": 1, "action": "claimed", "agent_id": "ann"}),
    ("DELETE", "/issues/1", None),
]


@pytest.mark.parametrize("call", REPEATED, ids=lambda call: f"{call[0]} {call[1]}")
async def test_retry_with_its_key_happens_once(room: Room, call: Call) -> None:
    """A repeated request with its `Idempotency-Key` gets the first answer and tells nothing."""
    await room.issue("one")
    await room.issue("two")
    await room.ok("POST", "/issues/1/labels", {"label": "bug"})
    headers = {"Idempotency-Key": "k"}
    first: Any = await room.ok(*call, headers=headers)
    await room.hub.journal.settled()  # a lock is also a sign of life, told on its own
    told = room.hub.bus.told
    assert await room.ok(*call, headers=headers) == first
    assert room.hub.bus.told == told

    other = await room.call("POST", f"{API}/issues", {"title": "other"}, headers=headers)
    assert (other.status, other.body["error"]) == (409, "conflict")


async def test_stale_fence_is_a_conflict(room: Room) -> None:
    """A write that presents the fence of a lock passes while it is held, and not after."""
    issue = await room.issue()
    fence = {"Lock-Fence": str((await room.ok("POST", f"/locks/{issue}/claim"))["fence"])}
    await room.ok("POST", f"/issues/{issue}/close", headers=fence)
    await room.ok("POST", f"/locks/{issue}/release")
    answer = await room.call("POST", f"{API}/issues/{issue}/reopen", headers=fence)
    assert (answer.status, answer.body["error"]) == (409, "conflict")
    assert "fence 1" in answer.body["detail"]
    wrong = await room.call("POST", f"{API}/issues/{issue}/reopen", headers={"Lock-Fence": "x"})
    assert wrong.status == 400
