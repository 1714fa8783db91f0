"""The clients of one door at work with an ordinary daemon, through its death and return."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import aiohttp

from hubbub.prove.checker import check
from hubbub.prove.checker.violations import Violation
from hubbub.prove.desk import Client, Desk, Door, Stage
from hubbub.prove.history import Answered, AnyRecord, Asked, Found, History, Joined, Told
from hubbub.prove.truth import Operator
from tests.clients.waiting import eventually
from tests.daemon import Daemon


SEED = 7
PAUSE_S = 0.02

CONFIG = '[agents.counted]\nrunner = "echo"\n'
"""The second agent of a proof; who executes its turns does not matter to the clients."""


class Company:
    """Writers and readers of one door, and what they have recorded."""

    def __init__(self, door: Door, daemon: Daemon) -> None:
        self.door = door
        self.daemon = daemon
        self.history = History()
        self.writers: list[asyncio.Task[None]] = []
        self._readers: list[asyncio.Task[None]] = []
        self._tokens: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        self._http = aiohttp.ClientSession(connector=connector)
        self.stage = Stage(
            history=self.history,
            urls=self.daemon.url,
            tokens=self._tokens.__getitem__,
            http=self._http,
            stopping=asyncio.Event(),
            ended=asyncio.Event(),
            seed=SEED,
            pause_s=PAUSE_S,
        )
        self._tokens["operator"] = self.daemon.token
        self._tokens["host"] = self.daemon.host_token
        for name in (*self.door.readers, *self.door.writers):
            made = await self._operator().call("tokens.create", {"agent": name})
            self._tokens[name] = made["token"]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stage.ended.set()
        tasks = (*self.writers, *self._readers)
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.close()
        for outcome in outcomes:
            if isinstance(outcome, Exception) and error is None:
                raise outcome

    def desk(self, name: str) -> Desk:
        """Give a client its place."""
        return Desk(name, self.door.name, self.stage)

    async def read(self) -> None:
        """Let the readers begin, and wait until all of them follow."""
        self._readers = self._seat(self.door.readers)
        await self.all_read()

    def write(self) -> None:
        """Let the writers begin."""
        self.writers = self._seat(self.door.writers)

    async def all_read(self) -> None:
        """Wait until every reader is connected."""
        await self.until(lambda: self.history.present == set(self.door.readers), "all readers")

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition; a client that failed fails the test."""

        async def look() -> bool:
            for task in (*self.writers, *self._readers):
                if task.done():
                    task.result()
            return condition()

        await eventually(look, what=what)

    async def finish(self) -> Sequence[Violation]:
        """Let the writers finish, wait until everything was told, look, and judge."""
        self.stage.stopping.set()
        await asyncio.wait_for(asyncio.gather(*self.writers), 60)
        await self.all_read()
        for found in await self._operator().journal(self.history.now()):
            self.history.add(found)
        await self.door.look(self.desk("operator"))
        # What was stored last may still be on its way to a reader.
        await self.until(
            lambda: not [v for v in self.violations() if v.kind == "hole after resume"],
            "that everything is told",
        )
        return self.violations()

    def violations(self) -> Sequence[Violation]:
        """Judge what is recorded by now."""
        return check(self.records)

    @property
    def records(self) -> Sequence[AnyRecord]:
        """Everything that was recorded by now."""
        return tuple(self.history.records)

    def asked(self, verb: str) -> list[Asked]:
        """Give the attempts of a verb."""
        return [r for r in self.records if isinstance(r, Asked) and r.verb == verb]

    def answered(self, outcome: str, *, since: float = 0.0) -> set[str]:
        """Give the verbs that had such an answer."""
        return {
            r.verb
            for r in self.records
            if isinstance(r, Answered) and r.outcome == outcome and r.at >= since
        }

    def joins(self, reader: str) -> list[Joined]:
        """Give a reader's connections."""
        return [r for r in self.records if isinstance(r, Joined) and r.reader == reader]

    def told(self, reader: str, *, since: float = 0.0) -> set[str]:
        """Give what a reader was told."""
        return {
            r.what
            for r in self.records
            if isinstance(r, Told) and r.reader == reader and r.at >= since
        }

    def found(self, read: str) -> set[str]:
        """Give what a read showed."""
        return {r.what for r in self.records if isinstance(r, Found) and r.read == read}

    def _seat(self, clients: dict[str, Client]) -> list[asyncio.Task[None]]:
        async def run(name: str, client: Client) -> None:
            await client(self.desk(name))

        return [asyncio.create_task(run(name, client)) for name, client in clients.items()]

    def _operator(self) -> Operator:
        return Operator(self._http, self.daemon.url("hubbub"), self.daemon.token)
