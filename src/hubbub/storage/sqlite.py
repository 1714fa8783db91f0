"""The store on SQLite: one writer thread with group commit, a small pool of readers.

The writer takes units of work from a queue and runs as many as are waiting in one
transaction (it commits when the queue is empty, at 256 units or after 2 ms). Events are
collected in Python and inserted together just before the commit, so a unit that only
publishes costs one row of an ``executemany``; a unit that also changes state gets a
savepoint of its own.
"""

import asyncio
import queue
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from hubbub.core.limits import DEFAULT_STORE_LIMITS, StoreLimits
from hubbub.core.ports import Query, Row, Settled, Unit, event_of
from hubbub.core.values import Clock, Event, IdSource
from hubbub.errors import (
    StartError,
    StoreUnavailable,
)
from hubbub.storage.reads import ReadDone, file_bytes, matching
from hubbub.storage.sql import load_queries, migrate, new_epoch
from hubbub.storage.transaction import NEWEST, SqliteTransaction, wrapped
from hubbub.telemetry import Recent, log


T = TypeVar("T")

_COLUMNS = "seq, id, topic, kind, actor, at, data, cause"


class SqliteStore:
    """Durable state and the journal in one SQLite file, or in memory."""

    def __init__(
        self,
        path: Path | None,
        *,
        clock: Clock,
        ids: IdSource,
        crash: Callable[[str], None],
        limits: StoreLimits = DEFAULT_STORE_LIMITS,
    ) -> None:
        """Open the store and bring its schema up to date; blocks while it does.

        Args:
            path: The database file; ``None`` keeps everything in memory.
            crash: Called with the name of each point at which a test may kill the process.

        Raises:
            StartError: The store is newer than this program, or cannot be opened.
        """
        self._path = path
        self._limits = limits
        self._queries = load_queries()
        self._db = self._connect()
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            migrate(self._db, backup_to=path)
            self.epoch = self._epoch()
            self.earlier: Mapping[str, int] = dict(
                self._db.execute(self._queries["epochs_earlier"]).fetchall()
            )
        except sqlite3.Error as error:
            self._db.close()
            message = f"the store {path} cannot be opened: {error}; restore a backup, or move it"
            raise StartError(message) from error
        except StartError:
            self._db.close()
            raise
        self._transaction = SqliteTransaction(self._db, self._queries, clock, ids)
        self._last_seq = self._transaction.seq
        self._crash = crash
        self._units: queue.SimpleQueue[tuple[Unit[Any], Callable[[Settled], None]] | None] = (
            queue.SimpleQueue()
        )
        self._deliver: Callable[[list[Settled]], None] = _nobody
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._write, name="hubbub-writer", daemon=True)
        self._readers = ThreadPoolExecutor(limits.readers, thread_name_prefix="hubbub-reader")
        self._local = threading.local()
        self._reading: list[sqlite3.Connection] = []
        """One connection for each reader's thread."""
        self._ending = False
        """Set by the writer when it has been told to stop."""
        self.healthy = True
        """False while the disk refuses writes."""
        self.commits = 0
        self.units = 0
        self.commit_s = 0.0
        """Total seconds spent in COMMIT."""
        self.commit_times = Recent()
        """Seconds of each of the newest."""

    def start(self) -> None:
        """Start the writer; call on the event loop that takes the results."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def close(self) -> None:
        """Commit what is queued, stop the threads and close the file; blocks."""
        self._units.put(None)
        if self._thread.is_alive():
            self._thread.join()
        self._readers.shutdown()
        for db in (*self._reading, self._db):
            db.close()

    def deliver_to(self, deliver: Callable[[list[Settled]], None]) -> None:
        """Say who takes committed batches on the event loop."""
        self._deliver = deliver

    def submit(self, unit: Unit[Any], done: Callable[[Settled], None]) -> None:
        """Queue a unit of work; ``done`` is called on the event loop after the commit."""
        self._units.put((unit, done))

    def last_seq(self) -> int:
        """Give the ``seq`` of the newest committed event."""
        return int(self._last_seq)

    async def rows(self, query: str, /, **values: object) -> list[Row]:
        """Run a named query on committed state."""
        return await self._rows(self._queries[query], values)

    async def together(self, queries: Sequence[Query]) -> tuple[int, list[list[Row]]]:
        """Run named queries on committed state as of one moment; gives its newest ``seq`` too."""
        texts = [(self._queries[name], dict(values)) for name, values in queries]

        def read(db: sqlite3.Connection) -> tuple[int, list[list[Row]]]:
            db.execute("BEGIN")  # what is read from here on is of one moment
            try:
                (seq,) = db.execute(NEWEST).fetchone()
                return seq, [db.execute(text, values).fetchall() for text, values in texts]
            finally:
                db.execute("COMMIT")

        def read_between(_: object) -> tuple[int, list[list[Row]]]:
            rows = [self._db.execute(text, values).fetchall() for text, values in texts]
            return self._transaction.seq, rows

        return await self._read(read, read_between)

    async def events(
        self, patterns: Sequence[str], *, after: int, upto: int, limit: int
    ) -> list[Event]:
        """Read journalled events with ``after < seq <= upto``, oldest first."""
        where, values = matching(patterns)
        text = (
            f"SELECT {_COLUMNS} FROM journal "  # noqa: S608 values are bound, not spliced
            f"WHERE seq > :after AND seq <= :upto AND {where} ORDER BY seq LIMIT :limit"
        )
        rows = await self._rows(text, {**values, "after": after, "upto": upto, "limit": limit})
        return [event_of(row) for row in rows]

    async def size(self) -> tuple[int, int | None]:
        """Give the bytes of the store's files, and those left on its disk.

        In memory: the bytes that it takes, and ``None``.
        """
        if self._path is None:
            rows = await self.rows("size_in_memory")
            return int(rows[0][0]), None
        return file_bytes(self._path), shutil.disk_usage(self._path.parent).free

    async def trimmed(self, patterns: Sequence[str]) -> int:
        """Give the highest ``seq`` that retention has cut from these topics."""
        where, values = matching(patterns)
        text = f"SELECT max(seq) FROM trimmed WHERE {where}"  # noqa: S608 as above
        rows = await self._rows(text, values)
        return int(rows[0][0] or 0)

    # -- the writer thread ---------------------------------------------------------------

    def _write(self) -> None:
        while not self._ending and (item := self._units.get()) is not None:
            batch: list[Settled] = []
            try:
                self._run_batch(item, batch)
            except Exception as error:  # noqa: BLE001 whatever it is, the writer lives on
                self._fail(batch, error)
            self._tell(batch)

    def _run_batch(
        self, item: tuple[Unit[Any], Callable[[Settled], None]], batch: list[Settled]
    ) -> None:
        """Run units until the batch is full or none waits, and commit them."""
        transaction = self._transaction
        deadline = time.monotonic() + self._limits.batch_ms / 1000
        following: tuple[Unit[Any], Callable[[Settled], None]] | None = item
        while following is not None:
            batch.append(Settled(done=following[1]))
            transaction.run(following[0], batch[-1])
            if len(batch) >= self._limits.batch_units or time.monotonic() > deadline:
                break
            if self._units.empty():  # only this thread takes, so what is there stays
                break
            following = self._units.get()
            self._ending = following is None
        self._commit(batch)

    def _commit(self, batch: list[Settled]) -> None:
        self._crash("before_commit")
        started = time.monotonic()
        has_written = self._transaction.commit()
        took = time.monotonic() - started
        self.commit_s += took
        self.commit_times.add(took)
        self.commits += 1
        self.units += len(batch)
        if has_written:
            self.healthy = True
        self._last_seq = self._transaction.seq
        self._crash("after_commit")

    def _fail(self, batch: list[Settled], cause: Exception) -> None:
        """Undo the whole transaction: the disk refused it, so nothing in it has happened."""
        if self.healthy:
            log.error("store_failed", reason=f"{type(cause).__name__}: {cause}")
        self.healthy = False
        self._transaction.rollback(self._last_seq)
        for settled in batch:
            error = StoreUnavailable(f"the store cannot write now: {cause}")
            error.__cause__ = cause
            settled.value, settled.events, settled.error = None, (), error

    def _tell(self, batch: list[Settled]) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        if self._path is not None:
            loop.call_soon_threadsafe(self._deliver, batch)
            return
        # Reads of a store in memory come this way too; the journal counts only its own units.
        units = [settled for settled in batch if not isinstance(settled.done, ReadDone)]
        loop.call_soon_threadsafe(self._deliver, units)
        for settled in batch:
            if isinstance(settled.done, ReadDone):
                loop.call_soon_threadsafe(settled.done, settled)

    # -- connections ---------------------------------------------------------------------

    def _connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path or ":memory:",
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        db.execute("PRAGMA busy_timeout = 5000")
        db.execute("PRAGMA foreign_keys = ON")
        if read_only:
            db.execute("PRAGMA query_only = ON")
        return db

    def _epoch(self) -> str:
        row = self._db.execute(self._queries["meta_get"], {"name": "epoch"}).fetchone()
        if row is not None:
            return str(row[0])
        epoch = new_epoch()
        self._db.execute(self._queries["meta_set"], {"name": "epoch", "value": epoch})
        return epoch

    async def _rows(self, text: str, values: dict[str, Any]) -> list[Row]:
        def read(db: sqlite3.Connection) -> list[Row]:
            return db.execute(text, values).fetchall()

        return await self._read(read, lambda _: read(self._db))

    async def _read(self, read: Callable[[sqlite3.Connection], T], read_between: Unit[T]) -> T:
        """Read on a connection of a reader; in memory there is one: its writer reads too."""
        loop = asyncio.get_running_loop()
        if self._path is not None:
            return await loop.run_in_executor(self._readers, self._read_blocking, read)
        future: asyncio.Future[T] = loop.create_future()
        self.submit(read_between, ReadDone(future))
        return await future

    def _read_blocking(self, read: Callable[[sqlite3.Connection], T]) -> T:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = self._connect(read_only=True)
            self._reading.append(db)
        try:
            return read(db)
        except OverflowError as error:
            raise wrapped(error) from error
        except sqlite3.Error as error:
            message = f"the store cannot be read now: {error}"
            raise StoreUnavailable(message) from error


def _nobody(batch: list[Settled]) -> None:
    """Take a batch before anyone listens: nothing is submitted then."""
