"""Every route, method and socket under requests made from their own schemas: never a 500."""

import http.client
import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.sync.client import ClientConnection, connect

from hubbub.dialects.base import Dialect
from hubbub.dialects.car import agents, opening, relay, runs, tools
from hubbub.dialects.crosslink import CrosslinkDialect
from hubbub.dialects.rpc.frames import INTERNAL_ERROR
from hubbub.dialects.x0x import X0xDialect
from tests.clients.openclaw import connect_params
from tests.clients.waiting import PATIENCE_S
from tests.daemon import Daemon
from tests.fuzz.json import ANY, Json, bodies, field_names, of_schema, paths
from tests.fuzz.machines import effort


BATCH = 10
"""Requests per example: what one leaves behind is what the next one finds."""


QUIET: dict[str, Any] = {
    "max_size": None,
    "max_queue": None,
    "ping_interval": None,
    "proxy": None,
    "compression": None,
}
"""How the client of these tests connects: it does nothing by itself, and reads everything."""


class Answer(NamedTuple):
    """What came back; of an event stream only its head."""

    status: int
    kind: str
    body: bytes


class Log:
    """What the daemon writes, read piece by piece."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.read = daemon.log_file.stat().st_size

    def check(self) -> None:
        """Insist that the daemon lives and was not surprised since the last look."""
        assert self.daemon.is_running, self.daemon.log_tail()
        text = self.daemon.log_file.read_bytes()[self.read :].decode(errors="replace")
        self.read += len(text.encode(errors="replace"))
        assert "Traceback" not in text, text[-3000:]


@pytest.fixture
def log(room: Daemon) -> Log:
    """Give the shared daemon's log."""
    return Log(room)


def dialects() -> Iterator[tuple[str, Dialect]]:
    """Make the two dialects with REST routes, for their tables alone."""
    yield "x0x", X0xDialect(mock.MagicMock(), mock.MagicMock())
    yield "crosslink", CrosslinkDialect(mock.MagicMock())


ROUTES = {
    name: [(route.method, route.path) for route in dialect.routes if route.path != "/shutdown"]
    for name, dialect in dialects()
}
QUERIES = st.sampled_from(
    (
        *("", "?", "?status=open", "?status=", "?priority=9", "?label=a&label=b", "?limit=-1"),
        *("?limit=x", "?after=%00", "?after=1", "?backfill=5", "?topic=t", "?a=%ff"),
        *("?parent_id=1e3", "?timeout=-1"),
    )
)


def ask(daemon: Daemon, name: str, call: tuple[str, str, bytes], headers: dict[str, str]) -> Answer:
    """Send one request on a connection of its own."""
    method, path, body = call
    connection = http.client.HTTPConnection(*daemon.address(name), timeout=PATIENCE_S)
    try:
        headers = {"Authorization": f"Bearer {daemon.token}", **headers}
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        kind = response.headers.get_content_type()
        return Answer(
            response.status, kind, b"" if kind == "text/event-stream" else response.read()
        )
    finally:
        connection.close()


def is_x0x_error(answer: Answer) -> bool:
    """Tell whether this is how x0x says no."""
    if answer.status in (404, 405) and not answer.body:
        return True
    error = json.loads(answer.body)
    return error["ok"] is False and bool(error["error"])


def is_crosslink_error(answer: Answer) -> bool:
    """Tell whether this is how crosslink says no: JSON, or its framework's plain text."""
    if answer.kind != "application/json":
        return answer.kind == "text/plain" or not answer.body
    error = json.loads(answer.body)
    return set(error) == {"error", "detail"} and all(error.values())


IS_ERROR = {"x0x": is_x0x_error, "crosslink": is_crosslink_error}


def requests(name: str) -> st.SearchStrategy[list[tuple[str, str, bytes]]]:
    """Make requests to a door's routes; some bodies are no JSON."""
    body = st.one_of(
        bodies(field_names(f"hubbub.dialects.{name}")).map(lambda v: json.dumps(v).encode()),
        st.binary(max_size=30),
    )

    def to(route: tuple[str, str]) -> st.SearchStrategy[tuple[str, str, bytes]]:
        return st.tuples(st.just(route[0]), st.builds(str.__add__, paths(route[1]), QUERIES), body)

    return st.lists(st.sampled_from(ROUTES[name]).flatmap(to), min_size=BATCH, max_size=BATCH)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", list(ROUTES))
def test_routes_answer_everything(room: Daemon, log: Log, name: str) -> None:
    """Whatever a request holds, the answer is a success or an error of that door's shape."""
    kind = {"Content-Type": "application/json"}

    @effort(30)
    @given(requests(name), st.sampled_from((kind, {**kind, "Idempotency-Key": "k"}, {})))
    def answers(calls: list[tuple[str, str, bytes]], headers: dict[str, str]) -> None:
        for call in calls:
            answer = ask(room, name, call, headers)
            where = (call, answer)
            assert 200 <= answer.status < 500, where
            assert answer.status < 400 or IS_ERROR[name](answer), where
        log.check()

    answers()


def described(daemon: Daemon) -> st.SearchStrategy[Json]:
    """Make calls of hubbub's own methods from the daemon's own description."""
    answer = ask(daemon, "hubbub", ("GET", "/openrpc.json", b""), {})
    description = json.loads(answer.body)
    components = description["components"]["schemas"]
    calls = []
    for method in description["methods"]:
        fields = {each["name"]: each for each in method["params"]}
        made = {name: of_schema(each["schema"], components) for name, each in fields.items()}
        params = st.fixed_dictionaries(
            {name: value for name, value in made.items() if fields[name]["required"]},
            optional={name: value for name, value in made.items() if not fields[name]["required"]},
        )
        calls.append(st.tuples(st.just(method["name"]), st.one_of(params, params, params, ANY)))
    assert len(calls) > 40
    return st.one_of(calls)


def exchange(socket: ClientConnection, frame: Json, request_id: str) -> Json:
    """Send a request and give its answer, passing over events."""
    socket.send(json.dumps(frame))
    while True:
        came = json.loads(socket.recv(timeout=PATIENCE_S))
        if came.get("id") == request_id and "method" not in came:
            return came


@pytest.mark.timeout(3600)
def test_methods_of_hubbubs_door_answer_everything(room: Daemon, log: Log) -> None:
    """Each method gives a result, or an error with a code of ours that is not the internal one."""
    url = room.ws_url("hubbub", f"/rpc?token={room.token}")
    with connect(url, **QUIET) as socket:

        @effort(60)
        @given(st.lists(described(room), min_size=BATCH, max_size=BATCH))
        def answers(calls: list[tuple[str, Json]]) -> None:
            for method, params in calls:
                frame = {"jsonrpc": "2.0", "id": "f", "method": method, "params": params}
                answer = exchange(socket, frame, "f")
                assert ("result" in answer) != ("error" in answer), (frame, answer)
                if "error" in answer:
                    error = answer["error"]
                    assert error["code"] != INTERNAL_ERROR, (frame, answer)
                    assert error["message"], (frame, answer)
                    assert error["data"]["code"] != "internal_error", (frame, answer)
            log.check()

        answers()


CAR_METHODS = [
    method.name
    for methods in (opening.METHODS, runs.METHODS, tools.METHODS, agents.METHODS, relay.METHODS)
    for method in methods
]


@pytest.mark.timeout(3600)
def test_methods_of_car_answer_everything(room: Daemon, log: Log) -> None:
    """Each method gives a result or a JSON-RPC error with a text, and nothing surprises it."""
    names = field_names("hubbub.dialects.car")
    call = st.tuples(st.sampled_from(CAR_METHODS), bodies(names))

    @effort(30)
    @given(st.lists(call, min_size=BATCH, max_size=BATCH), st.booleans())
    def answers(calls: list[tuple[str, Json]], is_host: bool) -> None:  # noqa: FBT001 given by name
        with connect(room.ws_url("car"), **QUIET) as socket:
            auth = {"host_token": room.host_token} if is_host else {"token": room.token}
            frame = {"jsonrpc": "2.0", "id": "a", "method": "session.auth", "params": auth}
            exchange(socket, frame, "a")
            for method, params in calls:
                frame = {"jsonrpc": "2.0", "id": "f", "method": method, "params": params}
                answer = exchange(socket, frame, "f")
                assert ("result" in answer) != ("error" in answer), (frame, answer)
                assert "error" not in answer or answer["error"]["message"], (frame, answer)
        log.check()

    answers()


@pytest.mark.timeout(3600)
def test_methods_of_openclaw_answer_everything(room: Daemon, log: Log) -> None:
    """Each method that the gateway names gives a payload, or an error with code and message."""
    with connect(room.ws_url("openclaw"), **QUIET) as socket:
        hello = {"type": "req", "id": "h", "method": "connect"}
        params = connect_params(room.token)
        answer = exchange(socket, {**hello, "params": params}, "h")
        methods = answer["payload"]["features"]["methods"]
        names = field_names("hubbub.dialects.openclaw")

        @effort(30)
        @given(
            st.lists(
                st.tuples(st.sampled_from(methods), bodies(names)), min_size=BATCH, max_size=BATCH
            )
        )
        def answers(calls: list[tuple[str, Json]]) -> None:
            for method, params in calls:
                frame = {"type": "req", "id": "f", "method": method, "params": params}
                answer = exchange(socket, frame, "f")
                assert answer["ok"] is (answer.get("error") is None), (frame, answer)
                if not answer["ok"]:
                    assert all(answer["error"][key] for key in ("code", "message")), (frame, answer)
            log.check()

        answers()


X0X_TYPES = ("subscribe", "unsubscribe", "publish", "send_direct", "ping", "pong", "backfill", "")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["x0x", "crosslink"])
def test_sockets_take_everything(room: Daemon, log: Log, name: str) -> None:
    """Frames of these two have no ids: after any of them the connection works."""
    frame = st.one_of(
        st.fixed_dictionaries({"type": st.sampled_from(X0X_TYPES)}).flatmap(
            lambda head: bodies(field_names(f"hubbub.dialects.{name}")).map(
                lambda body: {**body, **head} if isinstance(body, dict) else body
            )
        ),
        ANY,
    )

    with connect(room.ws_url(name, f"/ws?token={room.token}"), **QUIET) as socket:

        @effort(40)
        @given(st.lists(frame, min_size=BATCH, max_size=BATCH))
        def takes(frames: list[Json]) -> None:
            for each in frames:
                socket.send(json.dumps(each))
            assert socket.ping().wait(PATIENCE_S)
            log.check()

        takes()


def test_methods_are_known() -> None:
    """The tables that the tests above walk are not empty."""
    assert len(ROUTES["x0x"]) > 15
    assert len(ROUTES["crosslink"]) > 20
    assert len(CAR_METHODS) > 10
