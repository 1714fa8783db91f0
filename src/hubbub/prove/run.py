"""One proof: a daemon, clients at every door, faults, and the judgement at the end."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

import aiohttp
import msgspec

from hubbub.prove.checker import check
from hubbub.prove.checker.violations import Violation
from hubbub.prove.desk import Client, Desk, Door, Stage
from hubbub.prove.faults import Faults
from hubbub.prove.history import AnyRecord, History
from hubbub.prove.process import COMMAND, Process
from hubbub.prove.proxy import Proxy
from hubbub.prove.schedule import Planned
from hubbub.prove.truth import Operator, executions


JOIN_S = 30.0
"""Seconds that readers have to join at the start, and to come back at the end."""
FINISH_S = 60.0
"""Seconds that writers have at the end to finish what they began."""
QUIET_S = 2.0
"""Seconds without a word to any client after which nothing more is on its way."""
SETTLE_S = 30.0
"""Seconds after which the end is judged as it stands."""
LOOK_S = 0.05
"""Seconds between two looks at a condition."""
TICK_S = 0.5
"""Seconds between two words of progress."""


class ClientFailed(Exception):
    """A client of the proof made a mistake, which says nothing about the daemon."""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof is to do."""

    seed: int
    seconds: float
    """How long the clients work; starting, settling and judging come on top."""
    faults: Sequence[Planned]
    doors: Sequence[Door]
    folder: Path
    """Gets the daemon's log; it is there."""
    command: Sequence[str] = COMMAND
    """Starts the daemon under proof; data directory and conditions follow."""
    pause_s: float = 0.25
    """Seconds between two requests of one writer."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a proof is."""

    phase: str
    at: float
    """Seconds since its begin."""
    seconds: float
    """Seconds that the clients work in all."""
    records: int
    faults: Sequence[str]
    """Those that are on."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    records: Sequence[AnyRecord]
    violations: Sequence[Violation]


async def prove(work: Work, tell: Callable[[Progress], None]) -> Outcome:
    """Prove, and judge.

    Args:
        tell: Hears of progress.

    Raises:
        SubjectFailed: The daemon did not start, or ended by itself.
        ClientFailed: A client of ours made a mistake.
    """
    # A connection that is kept would be tried again by the library itself, unrecorded.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    with tempfile.TemporaryDirectory(prefix="hubbub-prove-") as home:
        async with aiohttp.ClientSession(connector=connector) as http:
            try:
                return await Proof(work, Path(home), http, tell).run()
            except ExceptionGroup as group:
                raise _first(group) from group


class Proof:
    """Everything that lives as long as one proof."""

    def __init__(
        self,
        work: Work,
        home: Path,
        http: aiohttp.ClientSession,
        tell: Callable[[Progress], None],
    ) -> None:
        """Prepare; ``run`` does it.

        Args:
            home: An empty folder for the daemon's files.
        """
        self._work = work
        self._http = http
        self._tell = tell
        self._phase = "starting"
        self._history = History()
        self._process = Process(
            home, self._history, command=work.command, log=work.folder / "daemon.log"
        )
        names = dict.fromkeys(("hubbub", *(door.name for door in work.doors)))
        self._proxies = {name: Proxy(self._target(name)) for name in names}
        self._faults = Faults(self._process, list(self._proxies.values()), self._history)
        self._tokens: dict[str, str] = {}
        self._stage = Stage(
            history=self._history,
            urls=lambda listener: self._proxies[listener].url,
            tokens=self._tokens.__getitem__,
            http=http,
            stopping=asyncio.Event(),
            ended=asyncio.Event(),
            seed=work.seed,
            pause_s=work.pause_s,
        )

    async def run(self) -> Outcome:
        """Prove, and judge. Raises as ``prove``."""
        try:
            async with self._watched(), asyncio.TaskGroup() as clients:
                await self._start()
                readers = self._seat(clients, "readers")
                await self._all_join(len(readers))
                writers = self._seat(clients, "writers")
                await self._work_through(writers)
                await self._settle(len(readers))
                records = await self._look()
                self._stage.ended.set()
                for task in readers:
                    task.cancel()
            self._phase = "judging"
            return Outcome(records=records, violations=check(records))
        finally:
            await self._process.stop()
            for proxy in self._proxies.values():
                await proxy.close()

    # -- phases --------------------------------------------------------------------------

    async def _start(self) -> None:
        """Start the daemon, open the ways to it, and make a token for each client."""
        await self._process.start()
        for proxy in self._proxies.values():
            await proxy.open()
        operator = self._operator()
        self._tokens["operator"] = self._process.secret("api-token")
        self._tokens["host"] = self._process.secret("host-token")
        for name in (*self._clients("readers"), *self._clients("writers")):
            made = await operator.call("tokens.create", {"agent": name})
            self._tokens[name] = made["token"]

    async def _all_join(self, count: int) -> None:
        """Wait until every reader follows, so that nothing is asked before."""
        self._phase = "joining"
        await _wait(lambda: len(self._history.present) >= count, JOIN_S)

    async def _work_through(self, writers: Sequence[asyncio.Task[None]]) -> None:
        """Let the writers write while faults happen, then finish what they began."""
        self._phase = "working"
        began = self._history.now()
        await self._faults.play(self._work.faults)
        await asyncio.sleep(began + self._work.seconds - self._history.now())
        self._phase = "finishing"
        self._stage.stopping.set()
        _, slow = await asyncio.wait(writers, timeout=FINISH_S) if writers else ((), ())
        for task in slow:  # what it waits for is open in the history, and the judges see it
            task.cancel()

    async def _settle(self, readers: int) -> None:
        """Wait until every reader is back and nothing more comes."""
        self._phase = "settling"

        def is_quiet() -> bool:
            since = self._history.now() - self._history.last_at
            return len(self._history.present) >= readers and since >= QUIET_S

        await _wait(is_quiet, SETTLE_S)

    async def _look(self) -> Sequence[AnyRecord]:
        """Read what is there, and give the history with it."""
        self._phase = "reading"
        operator = self._operator()
        at = self._history.now()
        for found in (*await operator.journal(at), *executions(self._process.data_dir, at)):
            self._history.add(found)
        for door in self._work.doors:
            await door.look(self._desk("operator", door.name))
        return tuple(self._history.records)

    # -- clients -------------------------------------------------------------------------

    def _clients(self, kind: str) -> Mapping[str, tuple[Door, Client]]:
        """Give the clients of all doors by name."""
        return {
            name: (door, client)
            for door in self._work.doors
            for name, client in getattr(door, kind).items()
        }

    def _seat(self, group: asyncio.TaskGroup, kind: str) -> list[asyncio.Task[None]]:
        """Let all writers or all readers begin."""
        tasks = []
        for name, (door, client) in self._clients(kind).items():
            tasks.append(group.create_task(_run(client, self._desk(name, door.name)), name=name))
        return tasks

    def _desk(self, name: str, door: str) -> Desk:
        return Desk(name, door, self._stage)

    def _target(self, listener: str) -> Callable[[], tuple[str, int] | None]:
        return lambda: self._process.address(listener)

    def _operator(self) -> Operator:
        return Operator(self._http, self._process.url("hubbub"), self._process.secret("api-token"))

    # -- watching ------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """Tell of progress, and end everything when the daemon has ended by itself."""
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch())
            try:
                yield
            finally:
                watch.cancel()

    async def _watch(self) -> None:
        while True:
            self._process.check()
            self._tell(
                Progress(
                    phase=self._phase,
                    at=self._history.now(),
                    seconds=self._work.seconds,
                    records=len(self._history.records),
                    faults=tuple(self._faults.now),
                )
            )
            await asyncio.sleep(TICK_S)


async def _run(client: Client, desk: Desk) -> None:
    """Let a client work; its own mistakes end the proof."""
    try:
        await client(desk)
    except Exception as error:
        message = f"the client {desk.name} failed: {type(error).__name__}: {error}"
        raise ClientFailed(message) from error


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """Give what went wrong first: the rest is what came of it."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error


async def _wait(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for a condition, but not for longer than this: the judges see what is missing."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 nobody could set an event for all of these
                await asyncio.sleep(LOOK_S)
