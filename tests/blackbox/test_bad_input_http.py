"""Bad input by HTTP: status and error shape of each door, and nothing half done."""

import pytest

from tests.clients.guests import Guests
from tests.clients.http import Answer, HttpClient
from tests.clients.x0x import b64
from tests.daemon import Daemon


MIB = 1024 * 1024
JSON = {"Content-Type": "application/json"}

Case = tuple[str, str, str | None, int]
"""Method, path, body as text, and the status to expect."""

X0X: tuple[Case, ...] = (
    ("POST", "/publish", "{", 400),
    ("POST", "/publish", "", 400),
    ("POST", "/publish", "[]", 422),
    ("POST", "/publish", '{"topic":"t"}', 422),
    ("POST", "/publish", '{"topic":7,"payload":"aGk="}', 422),
    ("POST", "/publish", '{"topic":"","payload":"aGk="}', 400),
    ("POST", "/publish", '{"topic":"t","payload":"not base64"}', 400),
    ("POST", "/publish", '{"topic":"t","payload":"aGk"}', 400),
    ("POST", "/subscribe", "{}", 422),
    ("DELETE", "/subscribe/nothing", None, 404),
    ("POST", "/direct/send", '{"agent_id":"zz","payload":"aGk="}', 400),
    ("POST", "/direct/send", '{"agent_id":"' + "0" * 64 + '","payload":"aGk="}', 404),
    ("POST", "/direct/send", '{"payload":"aGk="}', 422),
    ("POST", "/direct/send", f'{{"agent_id":"{"0" * 64}","payload":"!"}}', 400),
    ("GET", "/publish", None, 405),
    ("GET", "/no/such/path", None, 404),
)


async def send(client: HttpClient, method: str, path: str, text: str | None) -> Answer:
    """Send a JSON text as it is."""
    headers = JSON if text is not None else {}
    return await client.request(method, path, data=text, headers=headers)


@pytest.mark.parametrize("case", X0X, ids=lambda case: " ".join(str(part) for part in case)[:60])
async def test_x0x_refuses(room: Daemon, guests: Guests, case: Case) -> None:
    """The status says what kind of mistake it was, a JSON body `ok:false` and which."""
    method, path, text, status = case
    client = await guests.x0x(room)
    answer = await send(client, method, path, text)
    assert answer.status == status, answer
    if status not in {404, 405}:
        assert answer.body["ok"] is False
        assert answer.body["error"]


async def test_x0x_refuses_a_body_that_is_no_json_type(room: Daemon, guests: Guests) -> None:
    """Another or no content type is 415, more than 1 MiB 413."""
    client = await guests.x0x(room)
    headers = {"Content-Type": "text/plain"}
    text = '{"topic":"t","payload":"aGk="}'
    assert (await client.request("POST", "/publish", data=text, headers=headers)).status == 415
    large = {"topic": "t", "payload": b64(b"x" * MIB)}
    assert (await client.post("/publish", large)).status == 413
    fits = {"topic": "t", "payload": b64(b"x" * (MIB // 2))}
    assert (await client.post("/publish", fits)).status == 200


CROSSLINK: tuple[Case, ...] = (
    ("POST", "/issues", "{", 400),
    ("POST", "/issues", "", 400),
    ("POST", "/issues", "{}", 422),
    ("POST", "/issues", '{"title":7}', 422),
    ("POST", "/issues", '{"title":"x","priority":"sky-high"}', 422),
    ("POST", "/issues", '{"title":"' + "x" * 513 + '"}', 400),
    ("POST", "/issues", '{"title":"x","parent_id":999999}', 400),
    ("GET", "/issues/seven", None, 400),
    ("GET", "/issues/999999", None, 404),
    ("GET", "/issues?parent_id=x", None, 400),
    ("PATCH", "/issues/999999", '{"title":"x"}', 404),
    ("POST", "/issues/999999/close", None, 404),
    ("POST", "/issues/999999/labels", '{"label":"x"}', 404),
    ("POST", "/issues/999999/block", '{"blocker_id":1}', 404),
    ("POST", "/locks/notify", '{"issue_id":1,"action":"stolen","agent_id":"a"}', 400),
    ("POST", "/locks/notify", '{"issue_id":"x","action":"claimed","agent_id":"a"}', 422),
    ("PUT", "/issues", None, 405),
    ("GET", "/no/such/path", None, 404),
)


@pytest.mark.parametrize(
    "case", CROSSLINK, ids=lambda case: " ".join(str(part) for part in case)[:60]
)
async def test_crosslink_refuses(room: Daemon, guests: Guests, case: Case) -> None:
    """Errors of a handler are JSON with `error`; the issue list does not change."""
    method, path, text, status = case
    client = await guests.crosslink(room)
    before = await client.ok("GET", "/issues")
    answer = await send(client, method, f"/api/v1{path}", text)
    assert answer.status == status, answer
    if status == 404 and path.startswith("/issues"):
        assert answer.body["error"] == "not found"
        assert "999999" in answer.body["detail"]
    assert await client.ok("GET", "/issues") == before


async def test_crosslink_blocks_neither_itself_nor_in_a_circle(
    room: Daemon, guests: Guests
) -> None:
    """A dependency on itself or around a circle is 400 and says so."""
    client = await guests.crosslink(room)
    one, two = await client.create("one"), await client.create("two")
    itself = await client.post(f"/api/v1/issues/{one}/block", {"blocker_id": one})
    assert (itself.status, "itself" in itself.text) == (400, True)
    await client.ok("POST", f"/issues/{one}/block", {"blocker_id": two})
    circle = await client.post(f"/api/v1/issues/{two}/block", {"blocker_id": one})
    assert (circle.status, "circular" in circle.text) == (400, True)


async def test_crosslink_refuses_large_and_untyped_bodies(room: Daemon, guests: Guests) -> None:
    """More than 10 MiB is 413, another content type 415."""
    client = await guests.crosslink(room)
    large = b'{"title":"' + b"x" * (10 * MIB) + b'"}'
    answer = await client.request("POST", "/api/v1/issues", data=large, headers=JSON)
    assert answer.status == 413
    headers = {"Content-Type": "text/plain"}
    answer = await client.request("POST", "/api/v1/issues", data='{"title":"x"}', headers=headers)
    assert answer.status == 415


async def test_hubbub_post_refuses_in_json_rpc(room: Daemon, guests: Guests) -> None:
    """POST /rpc answers bad calls as the socket does, and takes good ones."""
    client = await guests.hubbub(room)
    for text, code in (("{", -32700), ("", -32700), ("[]", -32600), ("{}", -32600)):
        answer = await send(client, "POST", "/rpc", text)
        assert answer.body["error"]["code"] == code, answer
    call = {"jsonrpc": "2.0", "id": 1, "method": "topics.subscribe", "params": {"topics": ["t"]}}
    assert (await client.post("/rpc", call)).body["error"]["data"]["code"]
    call = {"jsonrpc": "2.0", "id": 2, "method": "topics.publish"}
    good = await client.post("/rpc", {**call, "params": {"topic": "t", "data": 1}})
    assert good.body["result"]["id"]


@pytest.mark.parametrize("query", ["?topics=", "?topics=t&after=junk"])
async def test_hubbub_events_refuse(room: Daemon, guests: Guests, query: str) -> None:
    """A stream that cannot be begun is an error with a code, not a silent stream."""
    client = await guests.hubbub(room)
    answer = await client.get(f"/events{query}")
    assert answer.status == 400
    assert answer.body["error"]["code"]


@pytest.mark.parametrize("path", ["/rpc", "/events", "/"])
async def test_hubbub_wrong_token_is_401(room: Daemon, guests: Guests, path: str) -> None:
    """A wrong token opens nothing but the page and the open paths."""
    stranger = await guests.hubbub(room, "wrong")
    answer = await stranger.get(path)
    assert answer.status in ({200, 401, 404} if path == "/" else {401})
    for open_path in ("/healthz", "/readyz", "/metrics"):
        assert (await stranger.get(open_path)).status == 200


@pytest.mark.parametrize(
    ("door", "path"),
    [("x0x", "/health"), ("crosslink", "/api/v1/health"), ("hubbub", "/healthz")],
)
async def test_foreign_host_is_refused(room: Daemon, door: str, path: str) -> None:
    """A `Host` that is not one of ours is refused, which ends DNS rebinding."""
    async with HttpClient(room.url(door), room.token) as client:
        assert (await client.get(path)).status == 200
        answer = await client.get(path, headers={"Host": "evil.example"})
        assert answer.status == 403
