"""What a unit of work sees of the store: the transaction, on the writer thread."""

import contextlib
import sqlite3
from typing import Any

import msgspec

from hubbub.core.ports import Row, Settled, Unit
from hubbub.core.values import Clock, Event, IdSource
from hubbub.errors import HubbubError, InternalError, InvalidRequest


_INSERT = (
    "INSERT INTO journal (seq, id, topic, kind, actor, at, data, cause) VALUES (?,?,?,?,?,?,?,?)"
)


NEWEST = (
    "SELECT max(coalesce((SELECT max(seq) FROM journal), 0),"
    " coalesce((SELECT max(seq) FROM trimmed), 0))"
)
"""Gives the ``seq`` of the newest event, be it stored still or cut."""


class SqliteTransaction:
    """What a unit of work sees; lives on the writer thread only."""

    def __init__(
        self, db: sqlite3.Connection, queries: dict[str, str], clock: Clock, ids: IdSource
    ) -> None:
        """Continue after the newest event of the journal."""
        self._db = db
        self._queries = queries
        self._clock = clock
        self._ids = ids
        self._events: list[Event] = []
        self._saved = False
        """The unit at work has a savepoint."""
        self._alone = False
        """The unit at work began the transaction: no unit before it has changed anything."""
        self.led_by: str | None = None
        """What led to the unit at work."""
        self._changes = db.total_changes
        """What the connection had counted when the last transaction ended; what was undone since
        is added, for the connection counts that too."""
        (self.seq,) = db.execute(NEWEST).fetchone()

    def append(
        self, topic: str, kind: str, data: object, *, actor: str, cause: str | None = None
    ) -> Event:
        """Record an event; it is inserted just before the commit."""
        if cause is None:
            cause = self.led_by
        if cause is not None and "/" in cause:
            cause = self._newest(cause)
        raw = data if isinstance(data, msgspec.Raw) else msgspec.Raw(msgspec.json.encode(data))
        self.seq += 1
        event = Event(self.seq, self._ids(), topic, kind, actor, self._clock(), raw, cause)
        self._events.append(event)
        return event

    def _newest(self, topic: str) -> str:
        """Give the id of a topic's newest event.

        Raises:
            InvalidRequest: There is none.
        """
        for event in reversed(self._events):  # these are not in the table before the commit
            if event.topic == topic:
                return event.id
        row = self.row("journal_newest", topic=topic)
        if row is None:
            message = f"cause {topic[:100]!r}: nothing is stored under this topic"
            raise InvalidRequest(message)
        return str(row[0])

    def execute(self, query: str, /, **values: object) -> int:
        """Run a named statement under the unit's savepoint."""
        self._save()
        return self._db.execute(self._queries[query], values).rowcount

    def changed(self, query: str, /, **values: object) -> Row | None:
        """Run a named statement that ends in ``RETURNING``; gives the first row it changed."""
        self._save()
        # All rows are taken, for the statement ends only then.
        rows: list[Row] = self._db.execute(self._queries[query], values).fetchall()
        return rows[0] if rows else None

    def rows(self, query: str, /, **values: object) -> list[Row]:
        """Run a named query."""
        self._begin()
        return self._db.execute(self._queries[query], values).fetchall()

    def row(self, query: str, /, **values: object) -> Row | None:
        """Run a named query and give its first row."""
        self._begin()
        row: Row | None = self._db.execute(self._queries[query], values).fetchone()
        return row

    def run(self, unit: Unit[Any], settled: Settled) -> None:
        """Run one unit; where it raises, undo it alone."""
        first, seq, changes = len(self._events), self.seq, self._db.total_changes
        self._alone = False
        try:
            settled.value = unit(self)
            settled.events = self._events[first:]
        except sqlite3.OperationalError:
            raise  # the disk: the whole batch fails
        except Exception as error:  # noqa: BLE001 whatever a unit raises is its caller's
            settled.error = wrapped(error)
            del self._events[first:]
            self.seq = seq
            if self._saved:
                self._db.execute("ROLLBACK TO unit")
            elif self._alone:
                self._db.execute("ROLLBACK")
            self._changes += self._db.total_changes - changes
        finally:
            self.led_by = None
            if self._saved and self._db.in_transaction:
                self._saved = False
                self._db.execute("RELEASE unit")

    def commit(self) -> bool:
        """Insert the collected events and commit.

        One event and nothing else is one statement, which commits by itself.

        Returns:
            Whether anything was written: a commit of nothing asks nothing of the disk.
        """
        if len(self._events) == 1:
            self._db.execute(_INSERT, _row_of(self._events[0]))
        elif self._events:
            self._begin()
            self._db.executemany(_INSERT, map(_row_of, self._events))
        if self._db.in_transaction:
            self._db.execute("COMMIT")
        self._events = []
        before, self._changes = self._changes, self._db.total_changes
        return self._changes != before

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
            self._alone = True

    def _save(self) -> None:
        """See to it that the unit can be undone alone.

        A unit that began the transaction needs no savepoint: undoing all undoes only it.
        """
        if self._saved or self._alone:
            return
        self._begin()
        if not self._alone:
            self._db.execute("SAVEPOINT unit")
            self._saved = True

    def rollback(self, seq: int) -> None:
        """Undo everything since the last commit; ``seq`` is that of its newest event."""
        self._events = []
        self._saved = False
        self.seq = seq
        with contextlib.suppress(sqlite3.Error):  # some failures have rolled back already
            self._db.execute("ROLLBACK")
        self._changes = self._db.total_changes


def _row_of(event: Event) -> Row:
    return (
        event.seq,
        event.id,
        event.topic,
        event.kind,
        event.actor,
        event.at,
        bytes(event.data),
        event.cause,
    )


def wrapped(error: Exception) -> Exception:
    """Give a failure of a unit or a read as one of our errors."""
    if isinstance(error, HubbubError):
        return error
    if isinstance(error, OverflowError):  # a caller's number that no column can hold
        return InvalidRequest("a number is too large: it must fit in 64 bits")
    unexpected = InternalError(f"{type(error).__name__}: {error}")
    unexpected.__cause__ = error
    return unexpected
