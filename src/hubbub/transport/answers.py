"""Answers on the wire: a plain record as the bytes of one HTTP response, written in one piece.

The HTTP library makes an object with a multidict of headers of each response, prepares it in
steps, and serialises it anew each time. Here what does not change between two answers, which is
all but length, date and body, is made once and kept.
"""

import re
import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

from aiohttp import HttpVersion, HttpVersion10, HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE

from hubbub.dialects.base import Response


MAX_HEADS = 256
"""Beginnings of answers that a door keeps."""

NO_HEADERS: Mapping[str, str] = {}

_BODILESS = frozenset((HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED))
"""Statuses whose answer has no body, nor a length (RFC 9110, 8.6)."""
_REASONS = {status.value: status.phrase for status in HTTPStatus}
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_KEPT_ALIVE = b"Connection: keep-alive\r\n"
_CLOSED = b"Connection: close\r\n"


class Heads:
    """Writes answers, and keeps what they have in common."""

    def __init__(self) -> None:
        """Begin with nothing kept."""
        self._heads: dict[tuple[HttpVersion, int, str], bytes] = {}
        self._second = 0
        self._stamp = b""

    def whole(self, answer: Response, extra: Mapping[str, str], request: web.BaseRequest) -> bytes:
        """Give all bytes of the answer to a request.

        Args:
            extra: Headers besides the answer's own.

        Raises:
            ValueError: A header holds a control character.
        """
        status, body, version = answer.status, answer.body, request.version
        if answer.headers or extra:
            head = _head(version, answer, {**answer.headers, **extra})
        else:
            head = self._plain(version, answer)
        length = b"" if status in _BODILESS else b"Content-Length: %d\r\n" % len(body)
        if request.method == "HEAD":
            # An empty body may be only what we did not make for this method.
            body, length = b"", length if body else b""
        connection = b"" if ends(answer) else _connection(request)
        return b"".join((head, length, self._stamped(), connection, b"\r\n", body))

    def _plain(self, version: HttpVersion, answer: Response) -> bytes:
        """Give the beginning of an answer that has no headers of its own."""
        key = version, answer.status, answer.content_type if answer.body else ""
        head = self._heads.get(key)
        if head is None:
            head = _head(version, answer, NO_HEADERS)
            if len(self._heads) < MAX_HEADS:
                self._heads[key] = head
        return head

    def _stamped(self) -> bytes:
        """Give the headers that tell when, to the second, and by whom this is answered."""
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            date = formatdate(self._second, usegmt=True)
            self._stamp = f"Date: {date}\r\nServer: {SERVER_SOFTWARE}\r\n".encode()
        return self._stamp


class Reply(web.StreamResponse):
    """The server library's side of a plain answer: it is written when it would be prepared."""

    def __init__(
        self, heads: Heads, answer: Response, extra: Mapping[str, str] = NO_HEADERS
    ) -> None:
        """Answer with a plain record.

        What the library's own response would keep is not made.

        Args:
            extra: Headers besides the answer's own.
        """
        self._heads = heads
        self._answer = answer
        self._extra = extra
        self._stays = False

    @property
    def keep_alive(self) -> bool:
        """Whether the connection takes another request."""
        return self._stays

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Write everything, and wait while the peer takes nothing.

        Raises:
            ConnectionError: The connection is gone.
        """
        self._stays = request.keep_alive
        writer = request.writer
        await writer.write_eof(self._heads.whole(self._answer, self._extra, request))
        if ends(self._answer):
            # The library would go on reading for seconds what has not come in time.
            request.protocol.force_close()
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: all is written."""


def ends(answer: Response) -> bool:
    """Say whether a connection ends with an answer, whatever still comes on it."""
    return answer.headers.get("Connection") == "close"


def _head(version: HttpVersion, answer: Response, headers: Mapping[str, str]) -> bytes:
    """Make the status line, the headers and the content type."""
    if answer.body:
        headers = {**headers, "Content-Type": answer.content_type}
    status = f"HTTP/{version[0]}.{version[1]} {answer.status} {_REASONS.get(answer.status, '')}"
    lines = [status, *(f"{name}: {value}" for name, value in headers.items())]
    for line in lines:
        if _CONTROL.search(line):
            message = f"a control character in the header {line!r}"
            raise ValueError(message)
    return "\r\n".join((*lines, "")).encode()


def _connection(request: web.BaseRequest) -> bytes:
    """Say what becomes of the connection, where the request's version does not."""
    if request.keep_alive:
        return _KEPT_ALIVE if request.version == HttpVersion10 else b""
    return _CLOSED if request.version == HttpVersion11 else b""
