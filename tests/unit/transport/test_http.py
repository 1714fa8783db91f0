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
from hubbub.transport.http import Gate
from hubbub.transport.server import Listener, bind
from hubbub.transport.tick import Tick


PAGE_ORIGIN = "http://page.example"
SOFTWARE = re.compile(rb"\r\nServer: Python/[0-9.]+ aiohttp/[0-9.]+")
DATE = re.compile(rb"\r\nDate: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT")


class Desk:
    """A door whose answers say what was asked."""

    max_body_bytes = 1024
    sockets: Sequence[Socket] = ()
    calls: ClassVar = ("GET /", "GET /things", "POST /things", "GET /things/ready")
    more: ClassVar = ("GET /things/{name}", "DELETE /things/{name}", "GET /empty", "GET /odd")
    scopes: ClassVar[Rows] = dict.fromkeys((*calls, *more))

    def __init__(self, name: str) -> None:
        self.name = name
        rows = [call.split() for call in self.scopes]
        answers = {"/empty": self._empty, "/odd": self._odd}
        self.routes = [
            Route(method=method, path=path, handler=answers.get(path, self._answer))
            for method, path in rows
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
        words = (request.method, request.path, *request.params.values(), *request.query.values())
        text = " ".join((self.name, *words)).encode() + request.body
        return Response(body=text, content_type="text/plain")

    async def _empty(self, request: Request) -> Response:
        return Response(status=204)

    async def _odd(self, request: Request) -> Response:
        return Response(status=299, headers={"X-Odd": "yes"})


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
async def peer() -> AsyncIterator[Peer]:
    """Give a connection to a listener with one door at its root and one under a prefix."""
    listener = Listener(
        "desk",
        bind("127.0.0.1", 0),
        [("/side", Desk("side")), ("", Desk("main"))],
        gate=Gate(frozenset(), frozenset()),
        tick=Tick(asyncio.get_running_loop()),
        metrics=Metrics(),
    )
    await listener.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.address.port)
    yield Peer(reader, writer)
    writer.close()
    await listener.close()

CASES = {
 "get": get("/things", LAST),
 "query": get("/things?a=b%20c", LAST),
 "1.0": get("/things", version="1.0"),
 "1.0ka": get("/things", "Connection: keep-alive", version="1.0")+get("/empty",version="1.0"),
 "pipeline": get("/things")+get("/empty")+get("/odd")+get("/nix", LAST),
 "head": get("/things", LAST, method="HEAD"),
 "head404": get("/nix", LAST, method="HEAD"),
 "empty1.0": get("/empty", version="1.0"),
 "options": get("/things", LAST, method="OPTIONS"),
 "optionscors": get("/things", LAST, f"Origin: {PAGE_ORIGIN}", method="OPTIONS"),
 "cors": get("/things", LAST, f"Origin: {PAGE_ORIGIN}"),
 "cors404": get("/nix", LAST, f"Origin: {PAGE_ORIGIN}"),
 "foreign": get("/things", LAST, "Origin: http://evil.example"),
 "options*": get("*", LAST, method="OPTIONS"),
 "absolute": get("http://localhost/things?x=1", LAST),
 "connect": get("localhost:80", LAST, method="CONNECT"),
 "static": get("/things/ready", LAST),
 "dyn": get("/things/a%2Fb%20c%25", LAST),
 "deldyn": get("/things/ready", LAST, method="DELETE"),
 "postdyn": get("/things/ready", LAST, "Content-Length: 0", method="POST"),
 "slash": get("/things/", LAST),
 "deep": get("/things/a/b", LAST),
 "enc": get("/%74hings", LAST),
 "side": get("/side/things/x", LAST),
 "sideroot": get("/side/", LAST),
 "side0": get("/side", LAST),
 "sidenix": get("/side/nix", LAST),
 "side405": get("/side/things/x", LAST, method="PUT"),
 "brew": get("/things", LAST, method="BREW"),
 "sidex": get("/sidex/things", LAST),
 "root": get("/", LAST),
 "dslash": get("//things", LAST),
 "dots": get("/a/../things", LAST),
 "body": get("/things", LAST, "Content-Length: 3", method="POST")+b"abc",
 "chunked": get("/things", LAST, "Transfer-Encoding: chunked", method="POST")+b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
 "gzip": get("/things", LAST, "Content-Encoding: gzip", f"Content-Length: {len(gzip.compress(b'zipped'))}", method="POST")+gzip.compress(b"zipped"),
 "bomb": get("/things", LAST, "Content-Encoding: gzip", f"Content-Length: {len(gzip.compress(b'z'*99999))}", method="POST")+gzip.compress(b"z"*99999),
 "large": get("/things", LAST, "Content-Length: 1025", method="POST")+b"x"*1025,
 "largechunk": get("/things", LAST, "Transfer-Encoding: chunked", method="POST")+b"401\r\n"+b"x"*1025+b"\r\n0\r\n\r\n",
 "exact": get("/things", LAST, "Content-Length: 1024", method="POST")+b"x"*1024,
 "expect417": get("/things", LAST, "Expect: tea", method="POST"),
 "expect404": get("/nix", LAST, "Expect: tea", method="POST"),
 "expect1.0": get("/things", "Expect: 100-continue", "Content-Length: 3", method="POST", version="1.0")+b"abc",
 "expect": get("/things", LAST, "Expect: 100-Continue", "Content-Length: 3", method="POST")+b"abc",
 "getbody": get("/things", LAST, "Content-Length: 3")+b"abc",
 "badhost": get("/things", LAST).replace(b"localhost", b"evil.example"),
 "nohost": get("/things", LAST).replace(b"Host: localhost\r\n", b""),
 "upgrade": get("/things", LAST, "Upgrade: websocket"),
 "bad": b"nonsense\r\n\r\n",
}
@pytest.mark.parametrize("name", list(CASES))
async def test_x(name, peer):
    import os
    got = await peer.whole(CASES[name])
    with open(os.environ["OUT"],"a") as f: f.write(f"{name}\n   {got!r}\n")
