"""The composition root: builds the parts, joins them, opens and closes the doors."""

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from hubbub.config import Settings, ambient_agent
from hubbub.core.access import Access
from hubbub.core.attached import AttachedAgents
from hubbub.core.bus import Bus
from hubbub.core.chat import Chat
from hubbub.core.direct import Direct
from hubbub.core.hub import Hub
from hubbub.core.identity import Identities
from hubbub.core.issue_reads import IssueReads
from hubbub.core.journal import Journal
from hubbub.core.locks import Locks
from hubbub.core.ports import Store
from hubbub.core.presence import Presence
from hubbub.core.runs import Runs
from hubbub.core.signs import SignsOfLife
from hubbub.core.topics import Topics
from hubbub.core.tracker import Tracker
from hubbub.core.values import uuid7, wall_clock
from hubbub.dialects.base import Dialect
from hubbub.dialects.car import CarDialect
from hubbub.dialects.crosslink import CrosslinkDialect
from hubbub.dialects.rpc import RpcDialect
from hubbub.dialects.x0x import X0xDialect
from hubbub.errors import StartError
from hubbub.runners import agents_of
from hubbub.storage.sqlite import SqliteStore
from hubbub.telemetry import Metrics, log
from hubbub.transport.http import Gate
from hubbub.transport.server import Listener, bind
from hubbub.transport.tick import Tick


class Daemon:
    """One hubbub daemon on one data directory."""

    def __init__(self, settings: Settings) -> None:
        """Prepare; nothing is touched before ``open``."""
        self.settings = settings
        self.metrics = Metrics()
        self.listeners: dict[str, Listener] = {}
        self.stopping = asyncio.Event()
        self._tick = Tick(asyncio.get_running_loop())
        self._files = DataDirectory(settings.data_dir)
        self._store: SqliteStore | None = None
        self._journal: Journal | None = None
        self._chat: Chat | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Take the data directory, open the store, build the services, open the doors.

        Raises:
            StartError: The directory is in use, the store is too new, an address is taken.
        """
        settings = self.settings
        self._files.take()
        try:
            crash = crash_points(settings.crash_at)
            path = None if settings.ephemeral else settings.data_dir / "hubbub.db"
            self._store = store = SqliteStore(path, clock=wall_clock, ids=uuid7, crash=crash)
            bus = Bus(store, self._tick.tell)
            self._journal = journal = Journal(store, bus, crash=crash)
            store.start()
            access = Access(journal, store, wall_clock, self._files.operator_token())
            await access.load()
            grace_ms = settings.car.grace_ms
            runs = Runs(journal, store, bus, wall_clock, uuid7, grace_ms=grace_ms)
            await runs.load()
            identities = Identities(journal, store, wall_clock, self._files.secret("agent.key"))
            await identities.load()
            bus.listen(("agents/*",), identities.heard)
            presence = Presence(journal, store, bus, wall_clock, rules=settings.presence)
            await presence.load()
            SignsOfLife(presence, bus)
            locks = Locks(journal, store, wall_clock, rules=settings.locks)
            for tick_s, tick in (
                (settings.presence.tick_s, presence.tick),
                (settings.locks.tick_s, locks.tick),
            ):
                self._tasks.append(asyncio.create_task(every(tick_s, tick)))
            attached = AttachedAgents()
            self._chat = chat = self._chat_on(journal, store, bus, runs, attached)
            await chat.load()
            hub = Hub(
                bus=bus,
                journal=journal,
                store=store,
                topics=Topics(journal, wall_clock),
                runs=runs,
                attached=attached,
                chat=chat,
                access=access,
                identities=identities,
                direct=Direct(journal, identities, wall_clock, uuid7),
                presence=presence,
                tracker=Tracker(wall_clock, limits=settings.tracker),
                issues=IssueReads(store, limits=settings.tracker),
                locks=locks,
                clock=wall_clock,
                ids=uuid7,
            )
            await self._open_doors(self._dialects(hub))
            chat.start()
        except BaseException:
            await self.close()
            raise

    def _chat_on(
        self, journal: Journal, store: Store, bus: Bus, runs: Runs, attached: AttachedAgents
    ) -> Chat:
        settings = self.settings
        return Chat(
            journal,
            store,
            bus,
            runs=runs,
            agents=agents_of(settings.agents, attached=attached, environ=os.environ),
            clock=wall_clock,
            ids=uuid7,
            settings=settings.chat,
        )

    async def serve(self) -> None:
        """Work until SIGINT, SIGTERM or a door's shutdown verb, then stop gracefully."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stopping.set)
        await self.stopping.wait()
        await self.close()

    async def close(self) -> None:
        """Close the doors, finish what is queued, close the store, free the directory."""
        self._files.forget_listeners()
        if self._chat is not None:
            await self._chat.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(listener.close() for listener in self.listeners.values()))
        if self._journal is not None:
            await self._journal.settled()
        if self._store is not None:
            await asyncio.to_thread(self._store.close)
        self._files.free()

    def _dialects(self, hub: Hub) -> dict[str, Dialect]:
        """Build every dialect, by the name of its listener."""
        return {
            "hubbub": RpcDialect(hub),
            "crosslink": CrosslinkDialect(hub, self.settings.crosslink),
            "car": CarDialect(
                hub,
                host_token=self._files.secret("host-token"),
                settings=self.settings.car,
                ambient_agent=ambient_agent(),
            ),
            "x0x": X0xDialect(hub, self.stopping.set),
        }

    async def _open_doors(self, dialects: dict[str, Dialect]) -> None:
        gate = Gate(frozenset(), frozenset())
        for name, dialect in dialects.items():
            address = self.settings.listen.get(name, "")
            if not address:
                continue
            host, _, port = address.rpartition(":")
            try:
                sock = bind(host.strip("[]"), int(port))
            except StartError as error:
                if name in self.settings.explicit:
                    raise
                fix = f"--listen {name}=127.0.0.1:0"
                log.warning("listener_skipped", listener=name, reason=str(error), fix=fix)
                continue
            doors = [("", dialect)]
            if name == "hubbub":
                others = [(f"/{other}", dialects[other]) for other in dialects if other != name]
                doors = [*others, *doors]
            self.listeners[name] = Listener(
                name, sock, doors, gate=gate, tick=self._tick, metrics=self.metrics
            )
        if not self.listeners:
            message = "no listener could be opened"
            raise StartError(message)
        for listener in self.listeners.values():
            await listener.open()
        for dialect in dialects.values():
            self._tasks.append(asyncio.create_task(dialect.run()))
        self._files.tell_listeners(
            {name: str(listener.address) for name, listener in self.listeners.items()}
        )


class DataDirectory:
    """The files beside the store."""

    def __init__(self, path: Path) -> None:
        """Name the directory; it is made by ``take``."""
        self.path = path
        self._lock: int | None = None

    def take(self) -> None:
        """Make the directory and lock it for this process.

        Raises:
            StartError: Another daemon uses it.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._lock = None
            message = f"another hubbub uses {self.path}; stop it, or choose another with --data-dir"
            raise StartError(message) from None

    def free(self) -> None:
        """Let another daemon have the directory."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def operator_token(self) -> str:
        """Read the operator's token; make it at the first start."""
        return self.secret("api-token")

    def secret(self, name: str) -> str:
        """Read a secret of 64 hex characters from a file of mode 0600; make it once."""
        path = self.path / name
        with contextlib.suppress(FileNotFoundError):
            token = path.read_text("ascii").strip()
            if len(token) >= 32:  # noqa: PLR2004 an older, shorter token is kept
                return token
        token = secrets.token_hex(32)
        self.write(name, token, mode=0o600)
        return token

    def write(self, name: str, text: str, *, mode: int = 0o644) -> None:
        """Write a file atomically."""
        temporary = self.path / f".{name}.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        temporary.replace(self.path / name)

    def tell_listeners(self, addresses: dict[str, str]) -> None:
        """Write what is really bound."""
        if "x0x" in addresses:
            self.write("api.port", addresses["x0x"])
        urls = {name: f"http://{address}" for name, address in addresses.items()}
        self.write("listeners.json", json.dumps({"pid": os.getpid(), **urls}))

    def forget_listeners(self) -> None:
        """Remove what ``tell_listeners`` wrote, if this process holds the directory."""
        if self._lock is not None:
            for name in ("listeners.json", "api.port"):
                (self.path / name).unlink(missing_ok=True)


async def every(seconds: float, call: Callable[[], None]) -> None:
    """Call something on the clock until cancelled; a failure is logged and the clock goes on."""
    while True:
        await asyncio.sleep(seconds)
        try:
            call()
        except Exception:  # noqa: BLE001 the clock goes on
            log.exception("tick_failed", call=repr(call))


def crash_points(setting: str) -> Callable[[str], None]:
    """Make the function that kills this process at a point that a test names.

    Args:
        setting: ``POINT[:N]``; empty for a daemon that lives.
    """
    if not setting:
        return _live
    point, _, count = setting.partition(":")
    times = int(count or 1)
    seen: Counter[str] = Counter()

    def crash(name: str) -> None:
        seen[name] += 1
        if name == point and seen[name] == times:
            os.kill(os.getpid(), signal.SIGKILL)

    return crash


def _live(_point: str) -> None:
    """Go on."""


def run(settings: Settings, ready: Callable[[Daemon], None]) -> None:
    """Run a daemon to its end; blocks.

    Args:
        ready: Called once every listener answers.
    """

    async def main() -> None:
        daemon = Daemon(settings)
        await daemon.open()
        ready(daemon)
        await daemon.serve()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop  # noqa: PLC0415 heavy, and needed by the daemon alone

    return uvloop.new_event_loop


__all__: Sequence[str] = ("Daemon", "DataDirectory", "run")
