"""The clients' sockets, streams and calls, against a server that misbehaves as asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import aiohttp
import pytest
from aiohttp import web

from hubbub.prove.desk import Desk, Refused, Stage
from hubbub.prove.doors import openclaw, rpc
from hubbub.prove.doors.wire import (
    BROKEN,
    Line,
    NotNow,
    Socket,
    SseEvent,
    asked_streams,
    follow,
    rest,
    sse_events,
    surely,
)
from hubbub.prove.history import Asked, History, mark_in


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """One handler for every path, and a desk of a client of it."""

    def __init__(self) -> None:
        self.handler: Handler
        self.connections = 0
        self.port = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Count, and do what the test says."""
        self.connections += 1
        return await self.handler(request)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server on loopback."""
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    yield server
    await runner.cleanup()


@pytest.fixture
async def desk(server: Server) -> AsyncIterator[Desk]:
    """The desk of a client of that server."""
    async with aiohttp.ClientSession() as http:
        stage = Stage(
            history=History(),
            urls=lambda _: f"http://127.0.0.1:{server.port}",
            tokens=lambda agent: f"token-of-{agent}",
            http=http,
            stopping=asyncio.Event(),
            ended=asyncio.Event(),
            seed=1,
            pause_s=0.0,
        )
        yield Desk("client", "door", stage)


def answers(status: int, text: str) -> Handler:
    """Answer everything alike."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text)

    return handle


@pytest.mark.parametrize(
    ("status", "error"), [(503, NotNow), (500, NotNow), (429, NotNow), (409, Refused)]
)
async def test_error_statuses_are_told_apart(
    server: Server, desk: Desk, status: int, error: type[Exception]
) -> None:
    """What may succeed later is tried again; what is refused is not."""
    server.handler = answers(status, "why")
    with pytest.raises(error, match=f"{status} why"):
        await rest(desk, "POST", "/x", body={})


async def test_a_rest_call_carries_its_client(server: Server, desk: Desk) -> None:
    """The client's token goes along, and the answer comes back as JSON."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response([request.headers["Authorization"], await request.json()])

    server.handler = handle
    assert await rest(desk, "POST", "/x", body={"a": 1}) == ["Bearer token-of-client", {"a": 1}]


async def test_an_event_that_is_cut_off_is_none(server: Server, desk: Desk) -> None:
    """Only whole events are given; then the end of the stream is told."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        after = request.headers["Last-Event-ID"].encode()
        await response.write(b": ping\n\nevent: a\nid: " + after + b"\ndata: 1\n\ndata: 2\n\n")
        await response.write(b"id: 3\ndata: 3")
        return response

    server.handler = handle
    events: list[SseEvent] = []

    async def read() -> None:
        async for event in sse_events(desk, "/events", token="t", after="7"):
            events.append(event)  # noqa: PERF401 what came before the end counts

    with pytest.raises(EOFError):
        await read()
    assert events == [SseEvent("a", b"1", "7"), SseEvent("message", b"2")]


async def test_a_stream_that_is_refused_is_broken(server: Server, desk: Desk) -> None:
    """A reader comes back when its stream is refused."""
    server.handler = answers(503, "")
    with pytest.raises(BROKEN):
        await anext(aiter(sse_events(desk, "/events", token="t", after=None)))


def echoes(silent: Mapping[int, asyncio.Event]) -> Handler:
    """Answer requests by their id, after some noise; of the silent ones only take note."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.ping()
        async for message in socket:
            number = message.json()["id"]
            await socket.send_json({"noise": number})
            if number in silent:
                silent[number].set()
            else:
                await socket.send_json({"id": number, "result": number})
        return socket

    return handle


async def test_a_lost_answer_ends_the_connection(server: Server, desk: Desk) -> None:
    """After a request without an answer the next one comes over a new connection."""
    asked = asyncio.Event()
    server.handler = echoes(silent={1: asked})
    line = Line(lambda: Socket.open(desk))
    request = asyncio.create_task(line.exchange({"id": 1}, lambda reply: reply.get("id") == 1))
    await asked.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    for number in (2, 3):
        reply = await line.exchange({"id": number}, lambda reply: "id" in reply)
        assert reply["result"] == number
    assert server.connections == 2
    await line.drop()
    await line.drop()


async def test_settling_loses_nothing(server: Server, desk: Desk) -> None:
    """What comes before the pong is received after it, in order."""
    server.handler = echoes(silent={})
    socket = await Socket.open(desk, token="t")
    await socket.send({"id": 5})
    await socket.settle()
    assert [await socket.receive(), await socket.receive()] == [
        {"noise": 5},
        {"id": 5, "result": 5},
    ]
    await socket.close()


async def test_a_closed_socket_is_told(server: Server, desk: Desk) -> None:
    """Whoever receives hears that the connection has ended."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close(code=1013)
        return socket

    server.handler = handle
    socket = await Socket.open(desk)
    with pytest.raises(EOFError, match="1013"):
        await socket.receive()
    await socket.close()


async def test_a_reader_comes_back_until_all_is_over(desk: Desk) -> None:
    """A broken connection is made anew; the end ends it."""
    tries = []

    async def connection() -> None:
        tries.append(1)
        if len(tries) == 2:
            desk.ended.set()
        raise EOFError

    await follow(desk, connection)
    assert len(tries) == 2


async def test_a_read_is_tried_until_it_is_answered(desk: Desk) -> None:
    """A broken connection delays a read, and only the end gives it up."""
    outcomes: list[Exception | str] = [NotNow("full"), "there"]

    async def read() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert await surely(desk, read) == "there"
    desk.ended.set()
    with pytest.raises(EOFError):
        await surely(desk, read)


@pytest.mark.parametrize(("code", "error"), [("store_unavailable", NotNow), ("lock_held", Refused)])
def test_refusals_of_json_rpc_are_told_apart(code: str, error: type[Exception]) -> None:
    """A lock that is held is an answer; a store that cannot write is none."""
    refusal = {"code": -32000, "message": "why", "data": {"code": code, "retryable": True}}
    with pytest.raises(error, match=f"{code}: why"):
        rpc.result({"id": 1, "error": refusal})


def test_a_json_rpc_error_without_data_is_a_refusal() -> None:
    """CAR's errors may come without our code."""
    with pytest.raises(Refused, match="-32601"):
        rpc.result({"id": 1, "error": {"code": -32601, "message": "no such method"}})


def test_a_turn_that_failed_is_no_refusal_of_its_message() -> None:
    """OpenClaw answers a retry with the failure of the turn: the message was taken."""
    error = {"code": "UNAVAILABLE", "message": "why"}
    with pytest.raises(openclaw.Failed) as failed:
        openclaw.payload_of({"ok": False, "error": error, "payload": {"runId": "k"}})
    assert failed.value.payload == {"runId": "k"}
    with pytest.raises(NotNow):
        openclaw.payload_of({"ok": False, "error": error})
    with pytest.raises(Refused, match="INVALID_REQUEST"):
        openclaw.payload_of({"ok": False, "error": {"code": "INVALID_REQUEST", "message": ""}})


def test_streams_that_were_asked_for_are_given_once(desk: Desk) -> None:
    """Only this door's, only of this verb, each once."""
    for door, verb, stream in [
        ("door", "v", "a"),
        ("door", "v", "a"),
        ("other", "v", "b"),
        ("door", "w", "c"),
    ]:
        desk.history.add(Asked(at=0, writer="w", door=door, verb=verb, op="o", stream=stream))
    assert list(asked_streams(desk, "v")) == ["a"]


@pytest.mark.parametrize("payload", ["", "!", "aGVsbG8=", "WzFd"])
def test_bytes_without_a_label_have_none(payload: str) -> None:
    """Bytes of others are passed over, whatever they are."""
    assert not mark_in(payload)
