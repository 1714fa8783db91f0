"""What the core needs from outside, each method with its guarantee.

Adapters live in ``storage/``, ``transport/`` and ``runners/``; only ``app.py`` picks them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from hubbub.core.values import Event, Position


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Query = tuple[str, Mapping[str, object]]
"""Name of a query, and its values."""

Row = tuple[Any, ...]
"""One row of a named query; columns in the order that the query's text gives them."""


def event_of(row: Row) -> Event:
    """Make an event of a row of the journal, with all its columns in their order."""
    seq, event_id, topic, kind, actor, at, data, cause = row
    return Event(seq, event_id, topic, kind, actor, at, msgspec.Raw(data), cause)


class Transaction(Protocol):
    """A unit of work's view of the store, valid only while the unit runs.

    Units run one after the other on the writer thread; each sees all that units before it
    did. A unit that raises leaves nothing behind.
    """

    led_by: str | None
    """Cause of this unit's events that name none; ``None``: nothing is known of one."""

    def append(
        self,
        topic: str,
        kind: str,
        data: object,
        *,
        actor: str,
        cause: str | None = None,
    ) -> Event:
        """Record an event; it is told to subscribers after the commit, in this order.

        Args:
            data: Anything that msgspec encodes; ``msgspec.Raw`` is taken as it is and must
                be compact JSON in valid UTF-8.
            cause: Id of the event that led to this one, or a topic (it has a ``/``), which stands
                for the newest event under it; ``None``: what ``led_by`` says.

        Raises:
            InvalidRequest: The topic has no event.
        """

    def execute(self, query: str, /, **values: object) -> int:
        """Run a named statement of ``queries.sql``; gives the number of changed rows."""

    def changed(self, query: str, /, **values: object) -> Row | None:
        """Run a named statement that ends in ``RETURNING``; gives the first row it changed."""

    def rows(self, query: str, /, **values: object) -> list[Row]:
        """Run a named query and give all its rows."""

    def row(self, query: str, /, **values: object) -> Row | None:
        """Run a named query and give its first row."""


Unit = Callable[[Transaction], T]
"""A change of state and its events, as one function. Pure but for the transaction."""


class Settled(msgspec.Struct, gc=False):
    """What became of a unit: told to the event loop after the commit."""

    done: Callable[["Settled"], None]
    value: Any = None
    error: Exception | None = None
    events: Sequence[Event] = ()

    def answer(self, future: "asyncio.Future[Any]") -> None:
        """Give the value, or the error, to whoever waits; nothing where nobody does any more."""
        if future.cancelled():
            return
        if self.error is not None:
            future.set_exception(self.error)
        else:
            future.set_result(self.value)


class Store(Protocol):
    """Durable state and the journal, in one place and one order."""

    epoch: str
    """Random id of this journal."""
    earlier: Mapping[str, int]
    """Journals that this one was restored from: up to which ``seq`` both hold the same events."""
    healthy: bool
    """False from the first write that the disk refused until the first that it took again."""

    def submit(self, unit: Unit[Any], done: Callable[[Settled], None]) -> None:
        """Queue a unit; never blocks. ``done`` is called on the event loop after the commit.

        Units commit in the order of submission, many to a transaction. Where a unit raised,
        ``Settled.error`` holds it; where the disk refused, a ``StoreUnavailable``.
        """

    def deliver_to(self, deliver: Callable[[list[Settled]], None]) -> None:
        """Say who takes committed batches on the event loop. Called once, at start."""

    async def rows(self, query: str, /, **values: object) -> list[Row]:
        """Run a named query on a read connection: committed state only."""

    async def together(self, queries: Sequence[Query]) -> tuple[int, list[list[Row]]]:
        """Run named queries on committed state as of one moment.

        Returns:
            The ``seq`` of the newest event then, and the rows of each query.
        """

    async def events(
        self, patterns: Sequence[str], *, after: int, upto: int, limit: int
    ) -> list[Event]:
        """Read journalled events with ``after < seq <= upto``, oldest first.

        Args:
            patterns: Topic names, ``prefix/*`` or ``*``.
            limit: At most this many.
        """

    async def trimmed(self, patterns: Sequence[str]) -> int:
        """Give the highest ``seq`` that retention has cut from these topics; 0 for none."""

    def last_seq(self) -> int:
        """Give the ``seq`` of the newest committed event; 0 in a new journal."""


class Outbox(Protocol):
    """The bounded queue of frames towards one connection.

    All methods are synchronous and never wait for the peer. What happens when the queue is
    full was fixed by the dialect when the connection was opened.
    """

    dropped: int
    """Frames that were not sent because the peer was too slow."""

    def frame(self, message: bytes) -> bytes:
        """Wrap one message in this connection's framing.

        The result goes to ``push`` or ``press``, here and on every other connection of the
        same door.
        """

    def push(self, frame: bytes) -> bool:
        """Queue an event frame. False: the queue is full and the frame was not taken."""

    def press(self, frame: bytes) -> None:
        """Queue a frame that must not be dropped; a full queue closes the connection."""

    def send(self, message: bytes) -> None:
        """Queue an answer, in order with the events.

        A full queue drops it only where the door drops the newest frame.
        """

    async def drained(self) -> None:
        """Wait until the queue is empty enough to take a page of replayed events."""

    def close(self, code: int, reason: str) -> None:
        """Send what is queued, then close; safe to call twice."""


class RunnerTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn that an agent is asked to take."""

    run_id: str
    agent: str
    session_key: str
    message: str
    history: Sequence[msgspec.Raw] = ()
    """Earlier messages of the session, oldest first, as stored."""
    attachments: Sequence[msgspec.Raw] = ()
    thinking: str | None = None
    timeout_s: float = 600.0


class RunnerOutput(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a turn: a piece of text, a tool's work, or the figures at the end."""

    text: str = ""
    """Text to append to the answer."""
    tool: msgspec.Raw | None = None
    """``{"phase":"start"|"update"|"result","toolCallId",...}``, passed through."""
    usage: dict[str, int] | None = None
    model: str | None = None
    provider: str | None = None


class Runner(Protocol):
    """What executes an agent's turn."""

    def take(self, turn: RunnerTurn) -> AsyncIterator[RunnerOutput]:
        """Run the turn and yield its output as it comes.

        Cancelling the iteration ends the work at once and leaves no process or connection.

        Raises:
            RunnerFailed: The agent could not finish; the text is for people.
        """


Runners = Callable[[str], Runner]
"""Gives the runner of an agent, which may be none that the settings name."""


class PeerLink(Protocol):
    """A link to another daemon (a later issue); nothing implements it yet."""

    def announce(self, position: Position) -> None:
        """Tell the peer how far our journal reaches."""
