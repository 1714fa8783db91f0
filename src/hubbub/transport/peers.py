"""One TCP connection: how many there are, and how long they may take to begin.

The HTTP library has a limit for the time between two requests alone, and none for the number of
connections. What is over a limit is told so in answer to its first request, in the shape of the
door that it asks for, and closed; see ``Door.admit``.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

from hubbub.transport.admission import Admission, Visit


REFUSAL_S = 1.0
"""Seconds that a connection over a limit has to ask for something, and so to be told."""


class Peer(web.RequestHandler):
    """The HTTP library's connection, counted and with a deadline for its first request."""

    __slots__ = ("_admission", "_late", "has_asked", "visit", "when_read")

    def __init__(self, server: web.Server, admission: Admission, **settings: Any) -> None:
        """Wait to be connected.

        Args:
            settings: Those of the library's own handler.
        """
        super().__init__(server, **settings)
        self._admission = admission
        self._late: asyncio.TimerHandle | None = None
        self.visit: Visit | None = None
        self.has_asked = False
        """Whether the headers of a request have come."""
        self.when_read: Callable[[], None] | None = None
        """Called when something has been read, after whoever waits for it was woken."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection in, and start its clock."""
        super().connection_made(transport)
        address = transport.get_extra_info("peername")
        self.visit = visit = self._admission.arrive(address[0] if address else "")
        if not visit.enter():
            cast("asyncio.Transport", transport).abort()
            return
        wait_s = self._admission.limits.header_s if visit.full is None else REFUSAL_S
        if wait_s:
            loop = asyncio.get_running_loop()
            self._late = loop.call_later(wait_s, self._too_late)

    def data_received(self, data: bytes) -> None:
        """Take what the peer has sent."""
        super().data_received(data)
        if self.when_read is not None:
            self.when_read()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count the connection out."""
        super().connection_lost(exc)
        if self._late is not None:
            self._late.cancel()
        if self.visit is not None:
            self.visit.leave()
            self.visit = None

    def asked(self) -> None:
        """Take note that a request has come."""
        self.has_asked = True
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        if not self.has_asked and self.transport is not None:
            self._admission.count("header_s")
            self.transport.abort()
