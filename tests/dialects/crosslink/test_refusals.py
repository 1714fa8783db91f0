"""What is refused, and in which shape: before a handler plain text, in one JSON."""

import pytest

from hubbub.core.values import OPERATOR
from tests.dialects.crosslink.room import API, TOKEN, Room


JSON = {"Content-Type": "application/json"}
MIB = 1024 * 1024

PLAIN: list[tuple[str, str, bytes | None, dict[str, str], int]] = [
    ("POST", "/issues", b"{", JSON, 400),
    ("POST", "/issues", b"", JSON, 400),
    ("POST", "/issues", b'{"title":"\xff"}', JSON, 400),
    ("POST", "/issues", b'{"title":"x","y":"\xff"}', JSON, 400),
    ("POST", "/issues", b'{"title":7', JSON, 400),
    ("POST", "/issues", b"[" * 200_000, JSON, 400),
    ("POST", "/issues", b"{}", JSON, 422),
    ("POST", "/issues", b"[]", JSON, 422),
    ("POST", "/issues", b'{"title":null}', JSON, 422),
    ("POST", "/issues", b'{"title":7}', JSON, 422),
    ("POST", "/issues", b'{"title":"x","priority":"urgent"}', JSON, 422),
    ("POST", "/issues", b'{"title":"x","parent_id":"1"}', JSON, 422),
    ("POST", "/issues/1/comments", b'{"content":"x","kind":"handoff"}', JSON, 422),
    ("POST", "/issues/1/block", b'{"blocker_id":"2"}', JSON, 422),
    ("POST", "/issues", b'{"title":"x"}', {"Content-Type": "text/plain"}, 415),
    ("POST", "/issues", b'{"title":"x"}', {"Content-Type": "application/jsonx"}, 415),
    ("PATCH", "/issues/1", b"{}", {"Content-Type": "application/octet-stream"}, 415),
    ("POST", "/locks/1/claim", b'{"lease_ms":"x"}', JSON, 422),
    ("POST", "/locks/1/claim", b"{}", {"Content-Type": "text/plain"}, 415),
    ("POST", "/locks/notify", b'{"issue_id":"x","action":"claimed","agent_id":"a"}', JSON, 422),
    ("GET", "/issues/seven", None, {}, 400),
    ("GET", "/issues/1_0", None, {}, 400),
    ("GET", "/issues/%D9%A1", None, {}, 400),
    ("GET", "/issues/99999999999999999999", None, {}, 400),
    ("GET", "/issues?parent_id=x", None, {}, 400),
    ("DELETE", "/issues/1/block/x", None, {}, 400),
    ("POST", "/locks/x/claim", None, {}, 400),
    ("POST", "/issues", b'{"title":"' + b"x" * (10 * MIB) + b'"}', JSON, 413),
]


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: f"{case[4]} {case[1]} {case[2]!s:.40}")
async def test_refused_before_its_handler(
    room: Room, case: tuple[str, str, bytes | None, dict[str, str], int]
) -> None:
    """Framework errors are plain text with the status that they have in the original."""
    method, path, data, headers, status = case
    await room.issue()
    answer = await room.call(method, API + path, data=data, headers=headers)
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text
    assert (await room.ok("GET", "/issues"))["total"] == 1


IN_JSON: list[tuple[str, str, object, int, str, str]] = [
    ("POST", "/issues", {"title": "x" * 513}, 400, "bad request", "title"),
    ("POST", "/issues", {"title": "x", "description": "d" * 65_537}, 400, "bad request", "desc"),
    ("POST", "/issues", {"title": "x", "parent_id": 9}, 400, "bad request", "issue 9 not found"),
    ("POST", "/issues/9/subissue", {"title": "x"}, 404, "not found", "Parent issue #9 not found"),
    ("GET", "/issues/9", None, 404, "not found", "Issue #9 not found"),
    ("GET", "/issues/-1", None, 404, "not found", "Issue #-1 not found"),
    ("GET", "/issues/9/comments", None, 404, "not found", "Issue #9 not found"),
    ("GET", "/issues?status=x", None, 400, "bad request", "status must be one of"),
    ("PATCH", "/issues/9", {}, 404, "not found", "Issue #9 not found"),
    ("DELETE", "/issues/9", None, 404, "not found", "Issue #9 not found"),
    ("POST", "/issues/9/close", None, 404, "not found", "Issue #9 not found"),
    ("POST", "/issues/1/labels", {"label": "x" * 129}, 400, "bad request", "label"),
    ("DELETE", "/issues/1/labels/x", None, 404, "not found", "label x not found"),
    ("POST", "/issues/1/block", {"blocker_id": 1}, 400, "bad request", "block itself"),
    ("POST", "/issues/1/block", {"blocker_id": 9}, 404, "not found", "Issue #9 not found"),
    ("DELETE", "/issues/1/block/2", None, 404, "not found", "dependency"),
    (
        "POST",
        "/issues/1/comments",
        {"content": "x", "kind": "intervention", "trigger_type": " "},
        400,
        "bad request",
        "trigger_type",
    ),
    ("POST", "/issues/1/comments", {"content": "x" * (MIB + 1)}, 400, "bad request", "content"),
    ("POST", "/locks/9/claim", None, 404, "not found", "Issue #9 not found"),
    ("POST", "/locks/1/claim", {"lease_ms": 0}, 400, "bad request", "lease_ms"),
]


@pytest.mark.parametrize("case", IN_JSON, ids=lambda case: f"{case[3]} {case[0]} {case[1]}")
async def test_refused_by_its_handler(
    room: Room, case: tuple[str, str, object, int, str, str]
) -> None:
    """Errors of a handler are JSON with `error` and `detail`, and change nothing."""
    method, path, body, status, error, detail = case
    await room.issue()
    told = room.hub.bus.told
    answer = await room.call(method, API + path, body)
    assert (answer.status, answer.body["error"]) == (status, error), answer
    assert detail in answer.body["detail"]
    assert room.hub.bus.told == told


async def test_unknown_lock_action_has_a_text_of_its_own(room: Room) -> None:
    """The original's words, without detail."""
    body = {"issue_id": 1, "action": "stolen", "agent_id": "a"}
    answer = await room.call("POST", f"{API}/locks/notify", body)
    text = "Invalid lock action 'stolen'. Must be 'claimed' or 'released'"
    assert (answer.status, answer.body) == (400, {"error": text})


@pytest.mark.parametrize(
    "authorization",
    [None, "Bearer wrong", f"bearer {TOKEN}", f"Bearer  {TOKEN}", f"Basic {TOKEN}", TOKEN],
)
@pytest.mark.parametrize("path", ["/api/v1/issues", "/api/v1/nothing", "/api/v1/health/more"])
async def test_without_a_good_token_all_is_empty_401(
    room: Room, path: str, authorization: str | None
) -> None:
    """The check runs before routing, and the scheme is one word and one space."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = await room.call("GET", path, token=None, headers=headers)
    assert (answer.status, answer.text) == (401, "")


async def test_health_is_open(room: Room) -> None:
    """Exactly the path of health needs no token."""
    answer = await room.call("GET", f"{API}/health", token=None)
    assert answer.status == 200
    assert answer.body["status"] == "ok"
    assert answer.body["version"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/sessions/current", 404),
        ("GET", "/api/v1/milestones", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/nothing", 404),
        ("PUT", "/api/v1/issues", 405),
        ("DELETE", "/api/v1/locks", 405),
        ("GET", "/api/v1/issues/1/close", 405),
    ],
)
async def test_what_is_not_there_is_empty(room: Room, method: str, path: str, status: int) -> None:
    """Unknown paths are 404, wrong methods 405, both without a body."""
    answer = await room.call(method, path)
    assert (answer.status, answer.text) == (status, "")


async def test_development_server_may_come(room: Room) -> None:
    """A preflight of the pages' development server is answered before auth; others are not."""
    ask = {"Access-Control-Request-Method": "PATCH", "Origin": "http://localhost:5173"}
    answer = await room.call("OPTIONS", f"{API}/issues/1", token=None, headers=ask)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    for name in ("content-type", "authorization", "accept"):
        assert name in answer.headers["Access-Control-Allow-Headers"]
    listed = await room.call("GET", f"{API}/issues", headers=ask)
    assert listed.status == 200
    assert listed.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    foreign = await room.call("GET", f"{API}/issues", headers={"Origin": "http://evil.example"})
    assert foreign.status == 403
    assert "Access-Control-Allow-Origin" not in foreign.headers


async def test_reader_may_read_and_not_write(room: Room) -> None:
    """A token without the scope to write is refused in JSON."""
    token = await room.hub.access.create(OPERATOR, "eve", ("read",))
    assert (await room.call("GET", f"{API}/issues", token=token)).status == 200
    answer = await room.call("POST", f"{API}/issues", {"title": "x"}, token=token)
    assert (answer.status, answer.body["error"]) == (403, "forbidden")
