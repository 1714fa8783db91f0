"""Copies of a store's file: made while a daemon writes, examined, and made a journal of their own.

Another process than the daemon does all this, on connections of its own.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from hubbub.core.values import Position
from hubbub.errors import HubbubError
from hubbub.storage.sql import load_queries, migrate, new_epoch, schema_of
from hubbub.storage.transaction import NEWEST


PAGES = 1024
"""Pages copied between two calls of ``progress``."""
FENCE_STEP = 1 << 20
"""By so much a restored store is above all numbers that its copy knew. More grants of one lock
than these between a copy and the moment that it replaces are not to be expected."""

Progress = Callable[[int, int], None]
"""Takes what is done, and of how much."""


class BadStore(HubbubError):
    """A file is no store, or a damaged one."""

    code = "bad_store"


class StoreFacts(msgspec.Struct, frozen=True):
    """What a store says of itself."""

    schema: int
    position: Position
    """Its newest event."""
    newest_at: int
    """When that happened, in Unix milliseconds; 0: it has none, or retention has cut it."""


class SqliteCopies:
    """Copies of SQLite stores."""

    def copy(self, source: Path, target: Path, progress: Progress) -> StoreFacts:
        """Copy a store as it is at one moment, also while a daemon writes to it.

        Everything that was committed before the call is in the copy. The daemon is not held
        up; what it writes meanwhile stays in its write-ahead log until the copy is made.

        Args:
            target: A file that is not there, or is empty.

        Raises:
            StartError: The store is newer than this program.
            BadStore: It cannot be read, or the copy cannot be written.
        """
        with _opened(source) as db, _opened(target, mode="rwc") as copy:
            # One read transaction for all steps: without it, every write of the daemon would
            # make SQLite begin the copy anew, and under load it would never end.
            db.execute("BEGIN")
            facts = _facts(db)
            db.backup(copy, pages=PAGES, progress=lambda _, left, of: progress(of - left, of))
            db.execute("COMMIT")
            # One file, whole in itself.
            copy.execute("PRAGMA journal_mode = DELETE")
        return facts

    def examine(self, path: Path) -> StoreFacts:
        """Check every page of a store.

        Raises:
            StartError: The store is newer than this program.
            BadStore: It is damaged, or no store.
        """
        with _opened(path) as db:
            facts = _facts(db)
            found = [row[0] for row in db.execute("PRAGMA integrity_check(3)")]
        if found != ["ok"]:
            message = f"{path} is damaged: {'; '.join(found)}"
            raise BadStore(message)
        return facts

    def look(self, path: Path) -> StoreFacts:
        """Read what a store says of itself, and check nothing else; raises as ``examine``."""
        with _opened(path) as db:
            return _facts(db)

    def begin_epoch(self, path: Path) -> Position:
        """Make a copy a journal of its own, which continues that of which it is a copy.

        Whoever has seen no more than the copy holds goes on in the new epoch as if nothing had
        happened; whoever has seen more is told so. Fences granted from now on are above all
        that were granted after the copy was made.
        """
        queries = load_queries()
        with _opened(path) as db:
            migrate(db, backup_to=None)
            db.execute("BEGIN IMMEDIATE")
            seq = _facts(db).position.seq
            epoch = new_epoch()
            db.execute(queries["epochs_close"], {"seq": seq})
            db.execute(queries["meta_set"], {"name": "epoch", "value": epoch})
            db.execute(queries["epochs_raise_fences"], {"step": FENCE_STEP})
            db.execute(queries["epochs_count_reservations"])
            db.execute(queries["epochs_raise_reservations"], {"step": FENCE_STEP})
            db.execute("COMMIT")
        return Position(epoch=epoch, seq=seq)


def _facts(db: sqlite3.Connection) -> StoreFacts:
    schema = schema_of(db)
    row = db.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
    (seq,) = db.execute(NEWEST).fetchone()
    if row is None:
        message = "there is no journal in it"
        raise sqlite3.DatabaseError(message)
    newest = db.execute("SELECT at FROM journal WHERE seq = ?", (seq,)).fetchone()
    return StoreFacts(schema, Position(epoch=row[0], seq=seq), 0 if newest is None else newest[0])


@contextlib.contextmanager
def _opened(path: Path, *, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    """Open a store; what SQLite says against it becomes a ``BadStore``.

    Not read-only, because a daemon that was killed has left a log that must be read in first.
    """
    try:
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None
        )
        with contextlib.closing(db):
            db.execute("PRAGMA busy_timeout = 5000")
            yield db
    except sqlite3.Error as error:
        message = f"{path} cannot be used as a store: {error}"
        raise BadStore(message) from error
