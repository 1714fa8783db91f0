"""One connection to the daemon that comes back by itself: calls, answers, notifications.

A call lives in ``_calls`` until it is answered. Whenever a connection begins, first what
every connection begins with is sent (subscriptions, an agent's attachment), then all calls that
wait, in the order in which they were made, under the ids and the idempotency keys that they had.
"""

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from hubbub.client.errors import (
    AnswerLost,
    ClientError,
    Closed,
    Failure,
    RateLimited,
    TimedOut,
    refused,
)
from hubbub.client.pace import Backoff, Sleep
from hubbub.client.place import Find, Place
from hubbub.client.wire import Wire


Dial = Callable[[Place], Awaitable[Wire]]
Notified = Callable[[msgspec.Raw], None]
"""Takes the parameters of a notification."""
Done = Callable[[msgspec.Raw | ClientError], None]
"""Takes the result of a call, or its error, before any later message is looked at."""
Beginning = Callable[[], None]
"""Makes, by ``Link.begin``, the calls that every connection begins with."""


TOO_BIG = 1009
"""Close code of a daemon that was sent a message over its limit."""


class _Message(msgspec.Struct, frozen=True):
    """Whatever comes from the daemon."""

    id: int | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Failure | None = None
    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"{}")


class _Call:
    """A call that is not answered yet."""

    __slots__ = ("done", "frame", "is_sent", "method", "number", "repeat")

    def __init__(self, number: int, method: str, params: object, done: Done, repeat: str) -> None:
        self.number = number
        self.method = method
        self.frame = msgspec.json.encode(
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        ).decode()
        self.done = done
        self.repeat = repeat
        """``yes``: sent again after a drop; ``no``; ``begin``: made anew by each connection."""
        self.is_sent = False


_decoder = msgspec.json.Decoder(_Message)


class Link:
    """The way to the daemon."""

    def __init__(
        self,
        find: Find,
        dial: Dial,
        *,
        backoff: Backoff,
        sleep: Sleep = asyncio.sleep,
        on_lost: Callable[[str], None] | None = None,
    ) -> None:
        """Begin unconnected; ``open`` connects.

        Args:
            on_lost: Told why each time that a connection ends or an attempt fails.
        """
        self.place: Place | None = None
        """Where the daemon was found last."""
        self.beginnings: list[Beginning] = []
        self.notified: dict[str, Notified] = {"daemon.stopping": self._stopping}
        self.lost: list[Callable[[], None]] = []
        """Called when a connection has ended."""
        self._find = find
        self._dial = dial
        self._backoff = backoff
        self._sleep = sleep
        self._on_lost = on_lost
        self._numbers = itertools.count(1)
        self._calls: dict[int, _Call] = {}
        self._outgoing: deque[_Call] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._later: set[asyncio.Task[None]] = set()
        self._is_up = False
        self._connection = 0
        self._broken: ClientError | None = Closed("this client is not open; use it in a `with`")
        self._why = ""
        """Why there is no connection; empty while there is one."""
        self.failed: list[Callable[[ClientError], None]] = []
        """Told the error after which no connection will come."""

    # -- connecting ----------------------------------------------------------------------

    async def open(self, *, patient: bool = False) -> None:
        """Connect.

        Args:
            patient: Wait for a daemon that is not there yet.

        Raises:
            Unreachable: None is there.
            Refused: It does not want us.
        """
        wire: Wire | None = None
        if not patient:
            self.place = self._find()
            wire = await self._dial(self.place)
        self._broken = None
        self._task = asyncio.create_task(self._run(wire))

    async def close(self) -> None:
        """End the connection; what still waits fails."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._break(Closed("this client was closed"))
        for later in self._later:
            later.cancel()

    async def _run(self, wire: Wire | None) -> None:
        """Keep a connection open until there can be none."""
        failures = 0
        while True:
            try:
                if wire is None:
                    self.place = self._find()
                    wire = await self._dial(self.place)
                if await self._serve(wire):
                    failures = 0
                if wire.code == TOO_BIG:
                    self._refuse_largest()
                where = "" if self.place is None else f" at {self.place.url}"
                self._drop(f"the daemon{where} has closed the connection")
            except ClientError as error:
                if not error.retryable:
                    self._break(error)
                    return
                self._drop(str(error))
            except Exception as error:
                self._break(ClientError(f"{type(error).__name__}: {error}"))
                raise
            wire = None
            failures += 1
            await self._sleep(self._backoff.delay_s(failures))

    async def _serve(self, wire: Wire) -> bool:
        """Work on a connection until it ends; false: it ended before anything came."""
        self._begin_connection()
        writer = asyncio.create_task(self._write(wire))
        heard = False
        try:
            while (message := await wire.receive()) is not None:
                heard = True
                self._take(message)
        finally:
            self._is_up = False
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await wire.close()
        return heard

    def _begin_connection(self) -> None:
        self._is_up, self._why = True, ""
        self._connection += 1
        self._outgoing.clear()
        waiting = list(self._calls.values())
        for begin in self.beginnings:
            begin()
        self._outgoing.extend(waiting)
        self._wake.set()

    def _drop(self, why: str) -> None:
        """Sort out what waited for an answer on a connection that has ended."""
        self._why = why
        for lost in self.lost:
            lost()
        for call in list(self._calls.values()):
            if call.repeat == "begin":
                del self._calls[call.number]
            elif call.is_sent and call.repeat == "no":
                del self._calls[call.number]
                call.done(AnswerLost(call.method))
            else:
                call.is_sent = False
        if self._on_lost is not None:
            self._on_lost(why)

    def _refuse_largest(self) -> None:
        """Fail the call for which the daemon has closed the connection; it would do so again."""
        sent = [call for call in self._calls.values() if call.is_sent and call.repeat != "begin"]
        if sent:
            largest = max(sent, key=lambda call: len(call.frame))
            del self._calls[largest.number]
            message = f"{largest.method} with {len(largest.frame)} characters is over the limit"
            largest.done(refused(message, "too_large", retryable=False, data={}))

    def _break(self, error: ClientError) -> None:
        """Fail everything, now and from now on."""
        if self._broken is None:
            self._broken = error
            for failed in list(self.failed):
                failed(error)
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call.done(error)

    def _stopping(self, _params: msgspec.Raw) -> None:
        """Send nothing more: the daemon says that it stops, and closes this connection soon."""
        self._is_up = False

    async def _write(self, wire: Wire) -> None:
        """Send what is to be sent, in order."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outgoing and self._is_up:
                call = self._outgoing.popleft()
                if call.number in self._calls:
                    call.is_sent = True
                    await wire.send(call.frame)

    # -- what comes ----------------------------------------------------------------------

    def _take(self, text: str | bytes) -> None:
        try:
            message = _decoder.decode(text)
        except (msgspec.DecodeError, UnicodeError):
            return  # nothing of ours; whoever waits will not wait for ever
        if message.method:
            notified = self.notified.get(message.method)
            if notified is not None:
                notified(message.params)
            return
        call = self._calls.get(message.id or 0)
        if call is None:
            return  # its caller has given up
        error = None if message.error is None else message.error.error()
        if isinstance(error, RateLimited):
            self._again(call, error.retry_after_s)
            return
        del self._calls[call.number]
        call.done(message.result if error is None else error)

    def _again(self, call: _Call, delay_s: float) -> None:
        """Send a call again that came too soon; nothing of it was done."""
        connection = self._connection
        call.is_sent = False

        async def again() -> None:
            await self._sleep(delay_s)
            if self._connection == connection and call.number in self._calls:
                self._outgoing.append(call)
                self._wake.set()

        task = asyncio.create_task(again())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    # -- what goes -----------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Whether there is a connection now."""
        return self._is_up

    def check(self) -> None:
        """Raise the error after which there will be no connection, if it has come to that."""
        if self._broken is not None:
            raise self._broken

    def begin(self, method: str, params: object, done: Done) -> None:
        """Make a call that belongs to this connection and ends with it, first of all."""
        self._post(method, params, done, "begin")

    async def call(
        self, method: str, params: Mapping[str, Any], *, repeatable: bool, timeout_s: float | None
    ) -> msgspec.Raw:
        """Call a method; across as many connections as it takes.

        Args:
            repeatable: Whether it may be sent again when nobody knows what became of it.
            timeout_s: Seconds to wait for the answer; ``None``: for ever.

        Raises:
            Refused: The daemon answered with an error.
            TimedOut: It did not answer in time.
            AnswerLost: The connection ended, and the call is not repeatable.
            Closed: The client was closed.
        """
        self.check()
        answer: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()

        def done(result: msgspec.Raw | ClientError) -> None:
            if answer.done():
                return
            if isinstance(result, ClientError):
                answer.set_exception(result)
            else:
                answer.set_result(result)

        call = self._post(method, params, done, "yes" if repeatable else "no")
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            key = params.get("idempotency_key")
            raise TimedOut(method, timeout_s or 0, key, self._why) from None
        finally:
            self._calls.pop(call.number, None)

    def _post(self, method: str, params: object, done: Done, repeat: str) -> _Call:
        call = _Call(next(self._numbers), method, params, done, repeat)
        self._calls[call.number] = call
        if self._is_up:
            self._outgoing.append(call)
            self._wake.set()
        return call
