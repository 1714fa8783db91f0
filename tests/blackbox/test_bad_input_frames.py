"""Bad input on sockets: each door answers in its own shape and goes on."""

from typing import Any

import pytest

from tests.blackbox.sentinels import Sentinels
from tests.clients.frames import Frame, FrameSocket
from tests.clients.guests import Guests
from tests.clients.openclaw import connect_params, is_event
from tests.daemon import Daemon


NOT_JSON = ("", "hello", "{", '{"a":1,}', "NaN", "\x00", '{"a":"\ud7ff', '{"x":' * 5_000)
NOT_OBJECTS = ("[]", "null", "true", "17", '"text"', "[{}]")


@pytest.fixture
async def sentinels(room: Daemon, guests: Guests) -> Sentinels:
    """Guests on every door, checked at the end of each test."""
    watch = Sentinels()
    await watch.arrive(guests, room)
    return watch


def rpc_error(frame: Frame, code: int, request_id: object = None) -> bool:
    """Tell whether a frame is a JSON-RPC error with a text, and no result."""
    error = frame.get("error", {})
    right_shape = frame.get("jsonrpc") == "2.0" and "result" not in frame
    return (
        right_shape
        and error.get("code") == code
        and bool(error["message"])
        and (frame["id"] == request_id)
    )


async def silent(socket: FrameSocket) -> bool:
    """Tell whether nothing at all came back for what was sent so far."""
    await socket.settle()
    return socket.untaken(lambda _: True) == []


X0X_INVALID = (
    *NOT_JSON,
    *NOT_OBJECTS,
    "{}",
    '{"type":7}',
    '{"type":"dance"}',
    '{"type":"subscribe"}',
    '{"type":"subscribe","topics":"a"}',
    '{"type":"subscribe","topics":[1]}',
    '{"type":"unsubscribe"}',
    '{"type":"publish","topic":"t"}',
    '{"type":"publish","payload":"aGk="}',
    '{"type":"publish","topic":7,"payload":"aGk="}',
    '{"type":"send_direct","payload":"aGk="}',
)

X0X_REFUSED = (
    ('{"type":"publish","topic":"t","payload":"no base64!"}', "invalid base64 in payload"),
    ('{"type":"publish","topic":"t","payload":"aGk"}', "invalid base64 in payload"),
    ('{"type":"send_direct","agent_id":"zz","payload":"aGk="}', "invalid hex"),
    ('{"type":"send_direct","agent_id":"abcd","payload":"aGk="}', "expected 32 bytes"),
)


async def test_x0x_answers_error_frames(room: Daemon, guests: Guests, sentinels: Sentinels) -> None:
    """Each bad command is answered by one `error` frame that says why; the socket stays open."""
    socket = await guests.x0x_socket(room)
    for text in X0X_INVALID:
        await socket.send_text(text)
        frame = await socket.receive()
        assert frame["type"] == "error", (text[:80], frame)
        assert frame["message"].startswith("invalid command: "), (text[:80], frame)
    for text, reason in X0X_REFUSED:
        await socket.send_text(text)
        frame = await socket.receive()
        assert frame["type"] == "error", (text[:80], frame)
        assert frame["message"].startswith(reason), (text[:80], frame)
    await socket.send_bytes(b'{"type":"ping"}')
    assert await silent(socket)
    await socket.ping()
    await sentinels.check()


async def test_x0x_unknown_type_names_the_known_ones(room: Daemon, guests: Guests) -> None:
    """The error of an unknown type lists what would be right."""
    socket = await guests.x0x_socket(room)
    await socket.send({"type": "dance"})
    message = (await socket.receive())["message"]
    for name in ("dance", "subscribe", "unsubscribe", "publish", "send_direct", "ping"):
        assert name in message


async def test_x0x_bad_subscribe_subscribes_nothing(
    room: Daemon, guests: Guests, sentinels: Sentinels
) -> None:
    """A refused command leaves nothing half done: the good names in it are not subscribed."""
    socket = await guests.x0x_socket(room)
    await socket.send_text('{"type":"subscribe","topics":["good",7]}')
    assert (await socket.receive())["type"] == "error"
    await (await guests.x0x(room)).publish("good", "unheard")
    await socket.ping()
    assert socket.untaken(lambda _: True) == []


async def test_crosslink_ignores_all_of_it(
    room: Daemon, guests: Guests, sentinels: Sentinels
) -> None:
    """Whatever a client says but a subscribe is ignored, without an answer."""
    socket = await guests.crosslink_socket(room, "issues")
    for text in (*NOT_JSON, *NOT_OBJECTS, "{}", '{"type":"subscribe","channels":{}}'):
        await socket.send_text(text)
    await socket.send_bytes(b'{"type":"subscribe","channels":[]}')
    assert await silent(socket)
    issue = await (await guests.crosslink(room)).create("still subscribed")
    assert await socket.issue_events(1) == [(issue, "created")]
    await sentinels.check()


CAR_REQUESTS: tuple[tuple[str, Any, frozenset[int]], ...] = (
    ("no.such.method", {}, frozenset({-32601})),
    ("toString", {}, frozenset({-32601})),
    ("__proto__", {}, frozenset({-32601})),
    ("", {}, frozenset({-32601, -32600})),
    ("runs.start", [], frozenset({-32602, -32603})),
    ("runs.start", {"agent_id": 7, "intent": "x"}, frozenset({-32602, -32603})),
    ("runs.start", {"agent_id": "a", "intent": 7}, frozenset({-32602, -32603})),
    ("runs.start", {"agent_id": "", "intent": "x"}, frozenset({-32602, -32603})),
    ("runs.complete", {}, frozenset({-32602, -32603})),
    ("runs.complete", {"run_id": 7, "outcome": {}}, frozenset({-32602, -32603})),
    ("runs.record_turns", {"run_id": "x", "turns": "y"}, frozenset({-32602, -32603})),
    ("runs.list", {}, frozenset({-32602, -32603})),
    ("runs.get_trace", {"run_id": []}, frozenset({-32602, -32603})),
    ("server.handshake", {}, frozenset({-32006})),
    ("server.handshake", {"protocol_version": "three"}, frozenset({-32006})),
    ("session.auth", {}, frozenset({-32602, -32603})),
    ("session.auth", {"token": 7}, frozenset({-32602, -32603})),
)


async def test_car_answers_json_rpc_errors(
    room: Daemon, guests: Guests, sentinels: Sentinels
) -> None:
    """Each bad message is answered by its JSON-RPC error; the connection stays open."""
    car = await guests.car(room)
    for text in NOT_JSON:
        await car.send_text(text)
        assert rpc_error(await car.receive(), -32700), text[:80]
    for text in ("[]", "null", "17", '"text"', "[{}]", "{}", '{"id":null,"method":7}'):
        await car.send_text(text)
        assert rpc_error(await car.receive(), -32600), text[:80]
    for method, params, codes in CAR_REQUESTS:
        error = await car.fail(method, params)
        assert error["code"] in codes, (method, params, error)
        assert error["message"]
    await car.start_run("still-working")
    await sentinels.check()


async def test_car_never_answers_notifications_and_strange_answers(
    room: Daemon, guests: Guests, sentinels: Sentinels
) -> None:
    """Messages without id, answers to nothing and binary frames get no answer."""
    car = await guests.car(room)
    await car.send({"jsonrpc": "2.0", "method": "no.such.method"})
    await car.send({"jsonrpc": "2.0", "id": "cb-77", "result": {}})
    await car.send({"jsonrpc": "2.0", "id": "cb-77", "error": {"code": 1, "message": "x"}})
    await car.send_bytes(b"\x00\x01\x02")
    assert await silent(car)
    await car.start_run("still-working")


async def test_car_wrong_token_and_wrong_phase(
    room: Daemon, guests: Guests, sentinels: Sentinels
) -> None:
    """A wrong token is an error; the next call on that connection is -32001 and a close."""
    car = await guests.car(room, auth=False)
    error = await car.fail("session.auth", {"token": "wrong"})
    assert (error["code"], error["message"]) == (-32603, "auth failed: token mismatch")
    error = await car.fail("runs.list", {"agent_id": "x"})
    assert error["code"] == -32001
    await car.closed()
    await sentinels.check()


OPENCLAW_FRAMES = (
    *NOT_OBJECTS,
    "{}",
    '{"type":"req"}',
    '{"type":"req","id":"a"}',
    '{"type":"req","id":7,"method":"health"}',
    '{"type":"req","id":"","method":"health"}',
    '{"type":"req","id":"a","method":""}',
    '{"type":"req","id":"a","method":"health","extra":1}',
    '{"type":"event","event":"chat"}',
    '{"type":"res","id":"a","ok":true}',
)

OPENCLAW_PARAMS: tuple[tuple[str, Any, str], ...] = (
    ("chat.send", {}, "must have required property"),
    ("chat.send", {"sessionKey": "main", "message": "x"}, "idempotencyKey"),
    ("chat.send", {"sessionKey": 7, "message": "x", "idempotencyKey": "k"}, "/sessionKey"),
    (
        "chat.send",
        {"sessionKey": "main", "message": "x", "idempotencyKey": ""},
        "at /idempotencyKey: must NOT have fewer than 1 characters",
    ),
    (
        "chat.send",
        {"sessionKey": "main", "message": "x", "idempotencyKey": "k", "bogus": 1},
        "at root: unexpected property 'bogus'",
    ),
    ("chat.history", {"sessionKey": "main", "limit": 1001}, "at /limit: must be <= 1000"),
    ("chat.history", {"sessionKey": "main", "limit": 0}, "/limit"),
    ("chat.history", {"sessionKey": "main", "limit": "many"}, "/limit"),
    ("chat.abort", {"runId": "x"}, "must have required property 'sessionKey'"),
    ("chat.inject", {"sessionKey": "main"}, "must have required property 'message'"),
    ("sessions.preview", {"keys": []}, "/keys"),
    ("sessions.delete", {}, "must have required property 'key'"),
)


async def test_openclaw_answers_invalid_request(
    room: Daemon, guests: Guests, sentinels: Sentinels
) -> None:
    """Illegal frames and parameters are INVALID_REQUEST in words; the socket stays open."""
    claw = await guests.openclaw(room)
    for text in OPENCLAW_FRAMES:
        await claw.send_text(text)
        frame = await claw.expect(lambda f: f["type"] == "res", what=f"an answer to {text}")
        assert (frame["ok"], frame["error"]["code"]) == (False, "INVALID_REQUEST"), text
        assert frame["error"]["message"].startswith("invalid request frame"), text
    for method, params, words in OPENCLAW_PARAMS:
        error = await claw.fail(method, params)
        assert error["code"] == "INVALID_REQUEST", (method, params)
        assert error["message"].startswith(f"invalid {method} params: "), error
        assert words in error["message"], error
    await sentinels.check()


@pytest.mark.parametrize("method", ["no.such", "toString", "__proto__", "constructor"])
async def test_openclaw_unknown_method(room: Daemon, guests: Guests, method: str) -> None:
    """A method that does not exist is named in the answer."""
    claw = await guests.openclaw(room)
    error = await claw.fail(method)
    assert (error["code"], error["message"]) == ("INVALID_REQUEST", f"unknown method: {method}")


async def test_openclaw_text_that_is_not_json_is_ignored(room: Daemon, guests: Guests) -> None:
    """After the handshake junk has no answer, and binary JSON is taken as if it were text."""
    claw = await guests.openclaw(room)
    for text in NOT_JSON:
        await claw.send_text(text)
    await claw.send_bytes(b'{"type":"req","id":"binary","method":"health"}')
    assert (await claw.result("binary"))["ok"] is True
    assert claw.untaken(lambda f: f["type"] == "res") == []
    error = await claw.fail("connect", connect_params(room.token))
    assert error["message"] == "connect is only valid as the first request"


def first(method: str, params: object) -> Frame:
    """Return a first request."""
    return {"type": "req", "id": "1", "method": method, "params": params}


GOOD = connect_params("the daemon's")

OPENCLAW_FIRST: tuple[tuple[str, Any, str | None, int, str], ...] = (
    ("not json", "hello", None, 1000, ""),
    ("array", [], None, 1008, "invalid request frame"),
    ("null", None, None, 1008, "invalid request frame"),
    ("event", {"type": "event", "event": "x"}, None, 1008, "invalid request frame"),
    ("number id", {"type": "req", "id": 1, "method": "x"}, None, 1008, "invalid request frame"),
    ("extra key", {**first("connect", GOOD), "x": 1}, None, 1008, "invalid request frame"),
    (
        "other method",
        first("health", {}),
        "invalid handshake: first request must be connect",
        1008,
        "invalid handshake: first request must be connect",
    ),
    ("no params", first("connect", {}), "invalid connect params: ", 1008, "invalid connect params"),
    (
        "protocol",
        first("connect", {**GOOD, "minProtocol": 4, "maxProtocol": 5}),
        "protocol mismatch",
        1002,
        "protocol mismatch",
    ),
    ("role", first("connect", {**GOOD, "role": "king"}), "invalid role", 1008, "invalid role"),
    (
        "no token",
        first("connect", connect_params(None)),
        "device identity required",
        1008,
        "device identity required",
    ),
    (
        "wrong token",
        first("connect", connect_params("wrong")),
        "unauthorized: gateway token mismatch",
        1008,
        "unauthorized: gateway token mismatch",
    ),
)


@pytest.mark.parametrize("case", OPENCLAW_FIRST, ids=[case[0] for case in OPENCLAW_FIRST])
async def test_openclaw_bad_first_frame(
    room: Daemon, sentinels: Sentinels, case: tuple[str, Any, str | None, int, str]
) -> None:
    """A bad first frame is answered where the gateway answers, then closed with its code."""
    _, frame, answer, code, reason = case
    async with await FrameSocket.open(room.ws_url("openclaw")) as claw:
        await claw.expect(is_event("connect.challenge"))
        await (claw.send_text(frame) if isinstance(frame, str) else claw.send(frame))
        closed_code, closed_reason = await claw.closed()
        assert (closed_code, closed_reason[: len(reason)]) == (code, reason)
        answers = claw.untaken(lambda f: f["type"] == "res")
        assert len(answers) == (answer is not None)
        if answer is not None:
            assert answers[0]["error"]["message"].startswith(answer)
    await sentinels.check()


HUBBUB_CALLS: tuple[tuple[str, Any, int], ...] = (
    ("no.such", {}, -32601),
    ("", {}, -32601),
    ("topics.publish", {}, -32602),
    ("topics.publish", [], -32602),
    ("topics.publish", {"topic": 7, "data": 1}, -32602),
    ("topics.publish", {"topic": "", "data": 1}, -32602),
    ("topics.publish", {"topic": "t", "data": 1, "bogus": 1}, -32602),
    ("topics.subscribe", {"topics": []}, -32602),
    ("topics.subscribe", {"topics": "t"}, -32602),
    ("topics.subscribe", {"topics": ["t"], "after": "junk"}, -32602),
    ("topics.subscribe", {"topics": ["t"], "after": {"epoch": "x", "seq": "y"}}, -32602),
    ("journal.read", {"limit": 0}, -32602),
    ("journal.read", {"limit": 10**9}, -32602),
    ("journal.activity", {"points": 1}, -32602),
    ("journal.activity", {"points": 501}, -32602),
    ("journal.event", {"id": ""}, -32602),
    ("journal.event", {"id": "none of ours"}, -32000),
    ("journal.effects", {"id": "x" * 257}, -32602),
    ("journal.effects", {"id": "x", "limit": 1001}, -32602),
    ("topics.list", {"limit": 0}, -32602),
    ("issues.create", {}, -32602),
    ("issues.get", {"id": "x"}, -32602),
    ("locks.claim", {"issue_id": -1}, -32000),
    ("runs.start", {"agent_id": "a"}, -32602),
    ("chat.send", {"session": "main"}, -32602),
)


async def test_hubbub_answers_json_rpc_errors(
    room: Daemon, guests: Guests, sentinels: Sentinels
) -> None:
    """Each bad call is a JSON-RPC error with our code and a text; the connection stays."""
    rpc = await guests.rpc(room)
    for text in NOT_JSON:
        await rpc.send_text(text)
        assert rpc_error(await rpc.receive(), -32700), text[:80]
    for text in (*NOT_OBJECTS, "{}", '{"jsonrpc":"1.0","id":1,"method":"topics.publish"}'):
        await rpc.send_text(text)
        frame = await rpc.receive()
        assert rpc_error(frame, -32600) or rpc_error(frame, -32600, 1), text
    for method, params, code in HUBBUB_CALLS:
        error = await rpc.fail(method, params)
        assert (error["code"], bool(error["data"]["code"])) == (code, True), (method, params, error)
    await rpc.send_bytes(b"\xff\x00")
    assert rpc_error(await rpc.receive(), -32600)
    await rpc.publish("still", "working")
    await sentinels.check()
