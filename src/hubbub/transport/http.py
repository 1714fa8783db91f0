"""HTTP: from the server's requests to a dialect's plain records and back."""

import asyncio
import functools
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aiohttp import web
from msgspec import structs
from prometheus_client import Counter

from hubbub.core.values import Principal, Scope
from hubbub.dialects import scopes
from hubbub.dialects.base import (
    Dialect,
    EventStream,
    OutboxRules,
    Request,
    Response,
    Route,
)
from hubbub.errors import (
    Forbidden,
    HubbubError,
    InternalError,
    TooLarge,
    TooManyConnections,
    TooSlow,
)
from hubbub.telemetry import log
from hubbub.transport.admission import Admission
from hubbub.transport.answers import NO_HEADERS, Heads, Reply
from hubbub.transport.outbox import SseOutbox
from hubbub.transport.peers import Peer
from hubbub.transport.routes import AiohttpHandler, Params
from hubbub.transport.tick import Tick


LAST_CHUNK = b"0\r\n\r\n"
STREAM_END_S = 5.0
"""Seconds that the reader of an ended event stream has to take the rest of it."""

MAX_KNOWN_HOSTS = 64
"""``Host`` headers that a gate remembers as ours."""
LOOPBACK_HOSTS = frozenset(("127.0.0.1", "localhost", "[::1]", "::1"))


class Gate:
    """Browser rules of one listener: which hosts and origins may talk to it."""

    def __init__(self, hosts: frozenset[str], origins: frozenset[str]) -> None:
        """Allow these host names (without port) and these full origins, besides loopback."""
        self._hosts = hosts | LOOPBACK_HOSTS
        self._origins = origins
        self._known: set[str] = set()
        """``Host`` headers that were found to be ours."""

    def check(self, request: Request, dialect: Dialect) -> Mapping[str, str]:
        """Give the CORS headers for the answer.

        Raises:
            Forbidden: The host is not ours (DNS rebinding), or the origin is foreign.
        """
        host = request.headers.get("Host", "")
        if host not in self._known:
            if host and _without_port(host) not in self._hosts:
                message = f"host {host!r} is not served here; allow it in the setting listen.hosts"
                raise Forbidden(message)
            if len(self._known) < MAX_KNOWN_HOSTS:
                self._known.add(host)
        origin = request.headers.get("Origin")
        if origin is None or origin.partition("://")[2] == host:
            return NO_HEADERS
        cors = dialect.cors(origin)
        if not cors and origin in self._origins:
            return _cors(origin)
        if not cors:
            message = f"origin {origin!r} is not allowed; allow it in the setting listen.origins"
            raise Forbidden(message)
        return cors


class Door:
    """One dialect at one place of one listener."""

    def __init__(
        self,
        dialect: Dialect,
        gate: Gate,
        tick: Tick,
        admission: Admission,
        *,
        prefix: str = "",
        scheme: str = "http",
    ) -> None:
        """Serve a dialect under a path prefix."""
        self.dialect = dialect
        self.admission = admission
        self.prefix = prefix
        self._scheme = scheme
        self._gate = gate
        self.tick = tick
        self.metrics = admission.metrics
        self.streams: set[asyncio.Task[None]] = set()
        self._heads = Heads()
        self._answered: dict[int, Counter] = {}
        """Counters of answers by status; looking one up by its labels costs more than it counts."""

    def record(self, request: web.BaseRequest, params: Params) -> Request:
        """Make the plain record of a request, of whom we do not know yet who makes it."""
        url = request.rel_url
        return Request(
            method=request.method,
            path=url.path[len(self.prefix) :] or "/",
            params=params,
            query=url.query if url.query_string else NO_HEADERS,
            headers=request.headers,
            remote=request.remote or "",
            host=request.host,
            scheme=self._scheme,
        )

    def admit(
        self, request: web.BaseRequest, record: Request
    ) -> tuple[Principal | Response | None, Mapping[str, str]]:
        """Apply browser rules, find out who calls, and take the request from its caller's quota.

        Raises:
            Forbidden: The browser rules forbid it.
            TooManyConnections: The connection is one too many; it ends with this answer.
            TooManyRequests: The caller, or all together, send too much.
        """
        peer = request.protocol
        assert isinstance(peer, Peer)  # noqa: S101 the listener makes no others
        if not peer.has_asked:
            peer.asked()
        if peer.visit is not None and peer.visit.full is not None:
            peer.close()
            raise peer.visit.full
        cors = self._gate.check(record, self.dialect)
        who = self.dialect.authenticate(record)
        caller = who if isinstance(who, Principal) else None
        self.admission.request(caller, record.remote, request.content_length or 0)
        return who, cors

    def handler(self, route: Route) -> AiohttpHandler:
        """Make the server's handler of a route.

        Raises:
            LookupError: It has no row in the table of scopes.
        """
        scopes.complete(self.dialect.scopes, (route.call,))
        scope = self.dialect.scopes[route.call]

        return functools.partial(self._answer, route, scope)

    async def fallback(
        self, allowed: Sequence[str], request: web.BaseRequest, params: Params
    ) -> web.StreamResponse:
        """Answer a path that no route has, or a method that its path does not take.

        Args:
            allowed: Methods that the path takes.
        """
        record = self.record(request, params)
        try:
            who, cors = self.admit(request, record)
        except HubbubError as error:
            return self.refusal(error)
        if request.method == "OPTIONS" and cors:
            return self.reply(Response(status=HTTPStatus.NO_CONTENT), cors)
        if isinstance(who, Response):
            return self.reply(who, cors)
        return self.reply(self.dialect.missing(record, allowed), cors)

    async def _answer(
        self, route: Route, scope: Scope | None, request: web.BaseRequest, params: Params
    ) -> web.StreamResponse:
        cors = NO_HEADERS
        began = self.metrics.answers.begin()
        try:
            record = self.record(request, params)
            who, cors = self.admit(request, record)
            if isinstance(who, Principal):
                if scope is not None:
                    who.require(scope)
                record.principal = who
            elif scope is not None and who is not None:
                return self.reply(who, cors)
            if request.body_exists:
                record.body = await self._body(request, record)
            answer = await route.handler(record)
        except HubbubError as error:
            if isinstance(error, InternalError):
                log.exception("request_failed", door=self.dialect.name, path=route.path)
            answer = self._refuse(error)
        except Exception as error:  # noqa: BLE001 an unexpected failure is one error to its caller
            log.exception("handler_failed", door=self.dialect.name, path=route.path)
            answer = self.dialect.refuse(InternalError(f"{type(error).__name__}: {error}"))
        self._count(answer.status if isinstance(answer, Response) else HTTPStatus.OK)
        if isinstance(answer, EventStream):
            return await self._seated(request, answer, cors, record.principal)
        if began:
            self.metrics.answers.end(began)
        return self.reply(answer, cors)

    def reply(self, answer: Response, extra: Mapping[str, str] = NO_HEADERS) -> Reply:
        """Make the server's answer of a plain record, with further headers."""
        return Reply(self._heads, answer, extra)

    def refusal(self, error: HubbubError) -> Reply:
        """Make the server's answer of an error that came before anything was done."""
        answer = self._refuse(error)
        self._count(answer.status)
        return self.reply(answer)

    def _refuse(self, error: HubbubError) -> Response:
        """Give an error the door's shape, and the headers that say how to go on after it."""
        answer = self.dialect.refuse(error)
        headers: dict[str, str] = {}
        if error.retry_after_s is not None:
            headers["Retry-After"] = str(math.ceil(error.retry_after_s))
        if isinstance(error, TooSlow):
            headers["Connection"] = "close"
        if not headers:
            return answer
        return structs.replace(answer, headers={**answer.headers, **headers})

    def _count(self, status: int) -> None:
        counter = self._answered.get(status)
        if counter is None:
            counter = self.metrics.requests.labels(self.dialect.name, str(status))
            self._answered[status] = counter
        counter.inc()
        self.admission.requests += 1

    def counted(self, rules: OutboxRules) -> OutboxRules:
        """Make rules under which what slow clients lose is also counted in the metrics."""
        drop = self.metrics.dropped.labels(self.dialect.name).inc
        close = self.metrics.slow_closes.labels(self.dialect.name).inc

        def on_drop() -> None:
            rules.on_drop()
            drop()

        def on_slow_close() -> None:
            self.admission.slow_closes += 1
            rules.on_slow_close()
            close()

        return structs.replace(rules, on_drop=on_drop, on_slow_close=on_slow_close)

    async def _body(self, request: web.BaseRequest, record: Request) -> bytes:
        body = await self._whole(request)
        announced = request.content_length or 0
        if len(body) > announced:  # sent in chunks, or compressed
            meter = self.admission.meter(record.principal, record.remote)
            if meter is not None:
                meter.charge(len(body) - announced)
        return body

    async def _whole(self, request: web.BaseRequest) -> bytes:
        """Read the whole body, as far as the door's limits allow: they hold for what is unpacked.

        Raises:
            TooLarge: It is over the door's limit.
            TooSlow: It did not come in time.
        """
        # The server's own limit is that of the largest door on this listener.
        most = self.dialect.max_body_bytes
        cause: Exception | None = None
        try:
            if (request.content_length or 0) <= most:
                content = request.content
                # Most bodies come with their headers.
                body = content.read_nowait() if content.is_eof() else await self._read(request)
                if len(body) <= most:
                    return body
        except web.HTTPRequestEntityTooLarge as error:
            cause = error
        message = f"the body is over {most} bytes"
        raise TooLarge(message) from cause

    async def _read(self, request: web.BaseRequest) -> bytes:
        wait_s = self.admission.limits.body_s
        try:
            async with asyncio.timeout(wait_s or None):
                return await request.read()
        except TimeoutError:
            self.admission.count("body_s")
            message = f"the body did not come within {wait_s:g} s"
            raise TooSlow(message) from None

    async def _seated(
        self,
        request: web.BaseRequest,
        answer: EventStream,
        cors: Mapping[str, str],
        principal: Principal | None,
    ) -> web.StreamResponse:
        """Stream to a principal that has a place left for it."""
        try:
            with self.admission.seated(principal):
                return await self._stream(request, answer, cors, principal)
        except TooManyConnections as error:
            return self.reply(self._refuse(error), cors)

    async def _stream(
        self,
        request: web.BaseRequest,
        answer: EventStream,
        cors: Mapping[str, str],
        principal: Principal | None,
    ) -> web.StreamResponse:
        """Keep the answer open until its client goes or the daemon stops."""
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", **cors}
        response = web.StreamResponse(headers=headers)
        response.enable_chunked_encoding()
        writer = await response.prepare(request)
        transport = request.transport
        if writer is None or transport is None:
            return response
        writer.send_headers()

        def end(_code: int, _reason: str) -> None:
            task.cancel()

        outbox = SseOutbox(transport, writer.drain, self.tick, self.counted(answer.rules), end)
        task = asyncio.ensure_future(answer.open(outbox))
        self.streams.add(task)
        gauge = self.metrics.connections.labels(self.dialect.name)
        gauge.inc()
        connection = self.admission.connections.open(self.dialect.name, principal, outbox)
        try:
            await asyncio.gather(task, return_exceptions=True)
        finally:
            gauge.dec()
            self.admission.connections.close(connection)
            task.cancel()
            self.streams.discard(task)
            outbox.ended()
            if not transport.is_closing():
                transport.write(LAST_CHUNK)  # so that the client sees an end, not a cut
                asyncio.get_running_loop().call_later(STREAM_END_S, transport.abort)
            transport.close()
        return response


def _cors(origin: str) -> Mapping[str, str]:
    """Let the pages of an origin that the operator allows use every call."""
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, "
        "Last-Event-ID",
        "Vary": "Origin",
    }


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()
