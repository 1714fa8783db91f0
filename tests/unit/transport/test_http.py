"""HTTP on the wire, byte for byte, on a real listener with doors of its own."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar

import pytest

from hubbub.core.values import OPERATOR, Principal
from hubbub.dialects.base import Request, Response, Route, Socket
from hubbub.dialects.scopes import Rows
from hubbub.errors import HubbubError
from hubbub.telemetry import Metrics
from hubbub.transport import peers
from hubbub.transport.http import Gate
from hubbub.transport.server import Listener, bind
from hubbub.transport.tick import Tick


PAGE_ORIGIN = "http://page.example"
SOFTWARE = re.compile(rb"\r\nServer: Python/[0-9.]+ aiohttp/[0-9.]+")
DATE = re.compile(
    rb"\r\nDate: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT"
)


class Desk:
    """A door whose answers say what was asked."""

    max_body_bytes = 1024
    sockets: Sequence[Socket] = ()
    scopes: ClassVar[Rows] = dict.fromkeys(
        (
            "GET /",
            "GET /things/{name}",
            "DELETE /things/{name}",
            "GET /things",
            "POST /things",
            "GET /things/ready",
            "GET /files/{path:.*}",
            "GET /empty",
            "GET /odd",
            "GET /split",
            "GET /large",
        )
    )

    def __init__(self, name: str) -> None:
        self.name = name
        rows = [call.split() for call in self.scopes]
        self.heard = 0
        self._fixed = {
            "/empty": Response(status=204),
            "/odd": Response(status=299, headers={"X-Odd": "yes"}),
            "/split": Response(headers={"X-Odd": "yes\r\nX-More: yes"}),
            "/large": Response(body=b"x" * 65_536, content_type="text/plain"),
        }
        self.routes = [
            Route(method=method, path=path, handler=self._answer) for method, path in rows
        ]

    def authenticate(self, request: Request) -> Principal | Response | None:
        """Take everyone for the operator."""
        return OPERATOR

    def refuse(self, error: HubbubError) -> Response:
        """Say what is wrong."""
        return Response(status=error.http_status, body=str(error).encode(), content_type="text/x")

    def missing(self, request: Request, allowed: Sequence[str]) -> Response:
        """Name the methods."""
        status = 405 if allowed else 404
        return Response(status=status, headers={"Allow": ", ".join(allowed)})

    def cors(self, origin: str) -> Mapping[str, str]:
        """Let one page in."""
        return {"Access-Control-Allow-Origin": origin} if origin == PAGE_ORIGIN else {}

    async def run(self) -> None:
        """Do nothing."""

    async def _answer(self, request: Request) -> Response:
        self.heard += 1
        if request.path in self._fixed:
            return self._fixed[request.path]
        words = (request.method, request.path, *request.params.values(), *request.query.values())
        text = " ".join((self.name, *words)).encode() + request.body
        return Response(body=text, content_type="text/plain")


class Peer:
    """A plain connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def whole(self, sent: bytes) -> bytes:
        """Send, and give all that comes until the listener closes."""
        self.writer.write(sent)
        return plain(await asyncio.wait_for(self.reader.read(), 20))

    async def until(self, sent: bytes, end: bytes) -> bytes:
        """Send, and give what comes up to some bytes."""
        self.writer.write(sent)
        return plain(await asyncio.wait_for(self.reader.readuntil(end), 20))


def plain(answer: bytes) -> bytes:
    """Leave out what is another with each run: the date and the library's version."""
    return SOFTWARE.sub(b"", DATE.sub(b"", answer))


def get(target: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    """Write a request without a body, the last one of its connection."""
    lines = (f"{method} {target} HTTP/{version}", "Host: localhost", *headers, "", "")
    return "\r\n".join(lines).encode()


LAST = "Connection: close"


@pytest.fixture
def desk() -> Desk:
    """Give the door at the listener's root."""
    return Desk("main")


@pytest.fixture
async def peer(desk: Desk) -> AsyncIterator[Peer]:
    """Give a connection to a listener with one door at its root and one under a prefix."""
    listener = Listener(
        "desk",
        bind("127.0.0.1", 0),
        [("/side", Desk("side")), ("", desk)],
        gate=Gate(frozenset(), frozenset()),
        tick=Tick(asyncio.get_running_loop()),
        metrics=Metrics(),
    )
    await listener.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.address.port)
    yield Peer(reader, writer)
    writer.close()
    await listener.close()


def answer(
    body: bytes,
    *headers: str,
    status: str = "200 OK",
    kind: str = "text/plain",
    end: str | None = LAST,
    version: str = "1.1",
) -> bytes:
    """Write an answer as it is expected, without date and version."""
    typed = (f"Content-Type: {kind}",) if body else ()
    length = f"Content-Length: {len(body)}"
    lines = (f"HTTP/{version} {status}", *headers, *typed, length, *((end,) if end else ()), "", "")
    return "\r\n".join(lines).encode() + body


def post(body: bytes, *headers: str, target: str = "/things") -> bytes:
    """Write a request with a body, the last one of its connection."""
    return get(target, LAST, *headers, method="POST") + body


def bare(status: str, *headers: str, end: str | None = LAST, version: str = "1.1") -> bytes:
    """Write an answer that has neither a body nor a length."""
    lines = (f"HTTP/{version} {status}", *headers, *((end,) if end else ()), "", "")
    return "\r\n".join(lines).encode()


CORS = f"Access-Control-Allow-Origin: {PAGE_ORIGIN}"
FROM_PAGE = f"Origin: {PAGE_ORIGIN}"
MISSING = answer(b"", "Allow: ", status="404 Not Found")
TOO_LARGE = answer(
    b"the body is over 1024 bytes", status="413 Request Entity Too Large", kind="text/x"
)
ZIPPED, BOMB = gzip.compress(b"zipped"), gzip.compress(b"z" * 99_999)

ROUTED = {
    "GET /": "main GET /",
    "GET /things": "main GET /things",
    "GET /things?a=b%20c": "main GET /things b c",
    "GET /things?": "main GET /things",
    "GET /%74hings": "main GET /things",
    "GET http://localhost/things?x=1": "main GET /things 1",
    "GET /things/ready": "main GET /things/ready",
    "DELETE /things/ready": "main DELETE /things/ready ready",
    "GET /things/a%2Fb%20c%25": "main GET /things/a/b c% a/b c%",
    "GET /files/": "main GET /files/ ",
    "GET /files/a/b%20c": "main GET /files/a/b c a/b c",
    "GET /side/": "side GET /",
    "GET /side/things/x": "side GET /things/x x",
    "GET /side/things/ready": "side GET /things/ready",
}
"""What is asked, and what the route that takes it answers."""

NOT_ROUTED = {
    "GET /things/": "",
    "GET /things/a/b": "",
    "GET //things": "",
    "GET /a/../things": "",
    "GET /sidex/things": "",
    "GET /side": "",
    "GET /side/nix": "",
    "OPTIONS *": "",
    "CONNECT localhost:80": "",
    "HEAD /nix": "",
    "HEAD /things": "GET, POST",
    "OPTIONS /things": "GET, POST",
    "POST /things/ready": "DELETE, GET",
    "PUT /side/things/x": "DELETE, GET",
}
"""What is asked, and the methods that its path takes."""

BODIES = {
    "at once": (post(b"abc", "Content-Length: 3"), answer(b"main POST /thingsabc")),
    "none": (post(b"", "Content-Length: 0"), answer(b"main POST /things")),
    "of a GET": (
        get("/things", LAST, "Content-Length: 3") + b"abc",
        answer(b"main GET /thingsabc"),
    ),
    "in chunks": (
        post(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
        answer(b"main POST /thingsabcde"),
    ),
    "compressed": (
        post(ZIPPED, "Content-Encoding: gzip", f"Content-Length: {len(ZIPPED)}"),
        answer(b"main POST /thingszipped"),
    ),
    "of the limit's size": (
        post(b"x" * 1024, "Content-Length: 1024"),
        answer(b"main POST /things" + b"x" * 1024),
    ),
    "a byte over the limit": (post(b"x" * 1025, "Content-Length: 1025"), TOO_LARGE),
    "over the limit in chunks": (
        post(b"401\r\n" + b"x" * 1025 + b"\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
        TOO_LARGE,
    ),
    "over the limit when unpacked": (
        post(BOMB, "Content-Encoding: gzip", f"Content-Length: {len(BOMB)}"),
        TOO_LARGE,
    ),
    "announced to HTTP/1.0": (
        get("/things", "Expect: 100-continue", "Content-Length: 3", method="POST", version="1.0")
        + b"abc",
        answer(b"main POST /thingsabc", end=None, version="1.0"),
    ),
}
"""What is sent, and what comes back."""

ANSWERS = {
    "HTTP/1.0 ends by itself": (
        get("/things", version="1.0"),
        answer(b"main GET /things", end=None, version="1.0"),
    ),
    "HTTP/1.0 stays where it is asked to": (
        get("/things", "Connection: keep-alive", version="1.0") + get("/empty", version="1.0"),
        answer(b"main GET /things", end="Connection: keep-alive", version="1.0")
        + bare("204 No Content", end=None, version="1.0"),
    ),
    "several at once keep their order": (
        get("/things") + get("/empty") + get("/odd") + get("/nix", LAST),
        answer(b"main GET /things", end=None)
        + bare("204 No Content", end=None)
        + answer(b"", "X-Odd: yes", status="299 ", end=None)
        + MISSING,
    ),
    "a page may ask first": (
        get("/things", LAST, FROM_PAGE, method="OPTIONS"),
        bare("204 No Content", CORS),
    ),
    "a page may read": (get("/things", LAST, FROM_PAGE), answer(b"main GET /things", CORS)),
    "a page may read what is missing": (
        get("/nix", LAST, FROM_PAGE),
        answer(b"", "Allow: ", CORS, status="404 Not Found"),
    ),
    "a HEAD of what has a body gets its length": (
        get("/things", LAST, "Origin: http://evil.example", method="HEAD"),
        bare("403 Forbidden", "Content-Type: text/x", "Content-Length: 83"),
    ),
    "a foreign host is refused": (
        get("/things", LAST).replace(b"localhost", b"evil.example"),
        answer(
            b"host 'evil.example' is not served here; allow it in the setting listen.hosts",
            status="403 Forbidden",
            kind="text/x",
        ),
    ),
    "an upgrade that nobody offers is a request": (
        get("/things", LAST, "Upgrade: websocket"),
        answer(b"main GET /things"),
    ),
    "an unknown expectation is refused": (
        post(b"", "Expect: tea"),
        answer(
            b"Unknown Expect: tea",
            status="417 Expectation Failed",
            kind="text/plain; charset=utf-8",
        ),
    ),
}
"""What is sent, and what comes back."""


@pytest.mark.parametrize("call", list(ROUTED))
async def test_request_reaches_its_route(call: str, peer: Peer) -> None:
    """The most exact path wins that takes the method; named parts are decoded."""
    method, target = call.split()
    assert await peer.whole(get(target, LAST, method=method)) == answer(ROUTED[call].encode())


@pytest.mark.parametrize("call", list(NOT_ROUTED))
async def test_request_without_a_route_is_told_the_methods(call: str, peer: Peer) -> None:
    """What no route takes is answered in the shape of the door to which its path leads."""
    method, target = call.split()
    status = "405 Method Not Allowed" if NOT_ROUTED[call] else "404 Not Found"
    allow = f"Allow: {NOT_ROUTED[call]}"
    expected = answer(b"", allow, status=status)
    if method == "HEAD":
        expected = bare(status, allow)
    assert await peer.whole(get(target, LAST, method=method)) == expected


@pytest.mark.parametrize("name", list(BODIES))
async def test_body_is_taken_up_to_its_limit(name: str, peer: Peer) -> None:
    """However a body comes, the limit is that of what it unpacks to."""
    sent, expected = BODIES[name]
    assert await peer.whole(sent) == expected


@pytest.mark.parametrize("name", list(ANSWERS))
async def test_answer_has_the_right_head(name: str, peer: Peer) -> None:
    """Version, connection, length and CORS headers are what the request calls for."""
    sent, expected = ANSWERS[name]
    assert await peer.whole(sent) == expected


async def test_client_that_waits_for_a_word_is_told_to_go_on(peer: Peer) -> None:
    """The body is asked for, then taken; the connection stays."""
    asked = get("/things", "Expect: 100-Continue", "Content-Length: 3", method="POST")
    assert await peer.until(asked, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    told = await peer.until(b"abc", b"/thingsabc")
    assert told == answer(b"main POST /thingsabc", end=None)
    assert await peer.whole(get("/", LAST)) == answer(b"main GET /")


async def test_body_that_comes_later_is_waited_for(peer: Peer) -> None:
    """A body may come in pieces, long after its headers."""
    peer.writer.write(get("/things", LAST, "Content-Length: 6", method="POST") + b"abc")
    await peer.writer.drain()
    await asyncio.sleep(0)
    assert await peer.whole(b"def") == answer(b"main POST /thingsabcdef")


async def test_answers_that_nobody_reads_hold_up_the_next_request(
    peer: Peer, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that asks and does not read fills its own buffers, not our memory."""
    full = asyncio.Event()
    pause_writing = peers.Peer.pause_writing

    def noticed(connection: peers.Peer) -> None:
        full.set()
        pause_writing(connection)

    monkeypatch.setattr(peers.Peer, "pause_writing", noticed)
    times = 400
    peer.writer.write(get("/large") * times + get("/empty", LAST))
    await asyncio.wait_for(full.wait(), 20)
    for _ in range(10 * times):  # passes of the loop, in which all would be answered
        await asyncio.sleep(0)
    assert desk.heard < times
    answers = await peer.whole(b"")
    assert answers.count(b"HTTP/1.1 200 OK") == times
    assert answers.endswith(bare("204 No Content"))
    assert desk.heard == times + 1


async def test_every_answer_says_when_and_by_whom(peer: Peer) -> None:
    """Date and Server stand in each head, also in one that was made before."""
    peer.writer.write(get("/things") + get("/things", LAST))
    heard = await asyncio.wait_for(peer.reader.read(), 20)
    assert len(DATE.findall(heard)) == len(SOFTWARE.findall(heard)) == 2


async def test_header_with_a_control_character_is_never_written(
    peer: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A handler that would split its answer in two has its connection closed instead."""
    assert await peer.whole(get("/split", LAST)) == b""
    assert "control character" in capsys.readouterr().out
