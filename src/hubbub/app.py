"""The composition root: builds the parts, joins them, opens and closes the doors."""

import asyncio
import os
import signal
import socket as sockets
from collections import Counter
from collections.abc import Callable

from hubbub.config import LISTENERS, Settings, ambient_agent
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
from hubbub.core.operations import Operations, StoreProbe
from hubbub.core.presence import Presence
from hubbub.core.retention import Retention
from hubbub.core.runs import Runs
from hubbub.core.signs import SignsOfLife
from hubbub.core.topics import Topics
from hubbub.core.tracker import Tracker
from hubbub.core.values import uuid7, wall_clock
from hubbub.data_directory import DataDirectory
from hubbub.dialects.base import Dialect
from hubbub.dialects.car import CarDialect
from hubbub.dialects.crosslink import CrosslinkDialect
from hubbub.dialects.rpc import RpcDialect
from hubbub.dialects.x0x import X0xDialect
from hubbub.errors import HubbubError, StartError
from hubbub.runners import runners_of
from hubbub.runners.echo import EchoRunner
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
        self.operations = Operations(self.metrics, stop=self.stopping.set, started_at=wall_clock())
        self._tick = Tick(asyncio.get_running_loop())
        self.operator_token = ""
        """Known when the daemon is open."""
        self._files = DataDirectory(settings.data_dir)
        self._bound: dict[str, sockets.socket] = {}
        self._skipped: dict[str, str] = {}
        self._store: SqliteStore | None = None
        self._journal: Journal | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Take the data directory, open the store, build the services, open the doors.

        Raises:
            StartError: The directory is in use, the store is too new, an address is taken.
        """
        settings = self.settings
        try:
            self._bind()
            self._files.take()
            self._warn_skipped()
            crash = crash_points(settings.crash_at)
            path = None if settings.ephemeral else settings.data_dir / "hubbub.db"
            self._store = store = SqliteStore(path, clock=wall_clock, ids=uuid7, crash=crash)
            bus = Bus(store, self._tick.tell)
            self._journal = journal = Journal(store, bus, crash=crash)
            store.start()
            self.operator_token = self._files.operator_token()
            access = Access(journal, store, wall_clock, self.operator_token)
            await access.load()
            identities = Identities(journal, store, wall_clock, self._files.secret("agent.key"))
            await identities.load()
            bus.listen(("agents/*",), identities.heard)
            presence = Presence(journal, store, bus, wall_clock, rules=settings.presence)
            await presence.load()
            SignsOfLife(presence, bus)
            self._every(settings.presence.tick_s, presence.tick)
            locks = Locks(journal, store, wall_clock, rules=settings.locks)
            self._every(settings.locks.tick_s, locks.tick)
            grace_ms = settings.dialects.car.grace_ms
            runs = Runs(journal, store, bus, wall_clock, uuid7, grace_ms=grace_ms)
            await runs.load()
            runners = runners_of(settings.agents, attached=EchoRunner(), environ=os.environ)
            chat = Chat(
                journal,
                store,
                bus,
                runs=runs,
                runners=runners,
                clock=wall_clock,
                ids=uuid7,
                settings=settings.chat,
            )
            hub = Hub(
                bus=bus,
                journal=journal,
                store=store,
                topics=Topics(journal, wall_clock),
                runs=runs,
                attached=AttachedAgents(),
                chat=chat,
                access=access,
                identities=identities,
                direct=Direct(journal, identities, wall_clock, uuid7),
                presence=presence,
                tracker=Tracker(wall_clock, limits=settings.tracker),
                issues=IssueReads(store, limits=settings.tracker),
                locks=locks,
                operations=self.operations,
                clock=wall_clock,
                ids=uuid7,
            )
            retention = Retention(journal, store, bus, wall_clock, settings.store.rules())
            await retention.load()
            self._tasks.append(asyncio.create_task(self._retain(retention)))
            self._watch(bus, store, journal)
            await self._open_doors(self._dialects(hub))
        except BaseException:
            await self.close()
            raise

    async def serve(self) -> None:
        """Work until SIGINT, SIGTERM or a door's shutdown verb, then stop gracefully."""
        await self.stopping.wait()
        await self.close()

    async def close(self) -> None:
        """Close the doors, finish what is queued, close the store, free the directory."""
        self.operations.is_stopping = True
        self._files.forget_listeners()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(listener.close() for listener in self.listeners.values()))
        for sock in self._bound.values():
            sock.close()
        if self._journal is not None:
            await self._journal.settled()
        if self._store is not None:
            await asyncio.to_thread(self._store.close)
        self._files.free()

    def _dialects(self, hub: Hub) -> dict[str, Dialect]:
        """Build every dialect, by the name of its listener."""
        settings = self.settings.dialects
        return {
            "hubbub": RpcDialect(hub, settings.hubbub),
            "crosslink": CrosslinkDialect(hub, settings.crosslink),
            "car": CarDialect(
                hub,
                host_token=self._files.secret("host-token"),
                settings=settings.car,
                ambient_agent=ambient_agent(),
            ),
            "x0x": X0xDialect(hub, self.stopping.set, settings.x0x),
        }

    def _watch(self, bus: Bus, store: SqliteStore, journal: Journal) -> None:
        """Join checks and figures to the ops endpoints."""
        probe = StoreProbe(journal, store)
        self.operations.add_check(probe.check)
        self._every(1.0, probe.tick)
        gauge = self.metrics.gauge
        gauge("hubbub_journal_seq", "Newest position of the journal.", store.last_seq)
        gauge("hubbub_events", "Events told since the start.", lambda: bus.events)
        gauge("hubbub_subscribers", "Subscriptions, those that catch up included.", bus.held)
        gauge("hubbub_lagging", "Subscriptions that read from the store.", bus.behind)
        gauge("hubbub_lags", "Times that a slow subscriber fell back.", lambda: bus.lags)
        gauge("hubbub_units_waiting", "Units of work not settled yet.", lambda: journal.waiting)
        gauge("hubbub_units", "Units of work committed since the start.", lambda: store.units)
        gauge("hubbub_commits", "Transactions since the start.", lambda: store.commits)
        gauge("hubbub_commit_seconds", "Seconds spent in COMMIT.", lambda: store.commit_s)
        gauge("hubbub_store_healthy", "1 while the store takes writes.", lambda: store.healthy)
        gauge("hubbub_queued_bytes", "Bytes that wait for slow clients.", self._queued_bytes)

    def _queued_bytes(self) -> int:
        return sum(listener.queued_bytes for listener in self.listeners.values())

    async def _retain(self, retention: Retention) -> None:
        """Cut what no rule keeps, now and then."""
        while True:
            try:
                await retention.cut()
            except HubbubError as error:
                log.warning("retention_failed", reason=str(error))
            await asyncio.sleep(self.settings.store.retention_interval_s)

    def _every(self, seconds: float, call: Callable[[], None]) -> None:
        self._tasks.append(asyncio.create_task(every(seconds, call)))

    def _bind(self) -> None:
        """Take the addresses before anything is written.

        Raises:
            StartError: An address that was asked for is taken, or none is left.
        """
        listen = self.settings.listen
        for name in LISTENERS:
            address = listen.address(name)
            if address is None:
                continue
            try:
                self._bound[name] = bind(*address)
            except StartError as error:
                if name in self.settings.explicit:
                    raise
                self._skipped[name] = str(error)
        if not self._bound:
            message = "no listener could be opened: " + "; ".join(self._skipped.values())
            raise StartError(message)

    def _warn_skipped(self) -> None:
        """Tell about default addresses that are taken, once it is certain that we start."""
        for name, reason in self._skipped.items():
            fix = f"--listen {name}=127.0.0.1:0"
            log.warning("listener_skipped", listener=name, reason=reason, fix=fix)

    async def _open_doors(self, dialects: dict[str, Dialect]) -> None:
        gate = self._gate()
        for name, sock in self._bound.items():
            if name not in dialects:
                sock.close()
                continue
            doors = [("", dialects[name])]
            if name == "hubbub":
                others = [(f"/{other}", dialects[other]) for other in dialects if other != name]
                doors = [*others, *doors]
            self.listeners[name] = Listener(
                name, sock, doors, gate=gate, tick=self._tick, metrics=self.metrics
            )
        for listener in self.listeners.values():
            await listener.open()
        for dialect in dialects.values():
            self._tasks.append(asyncio.create_task(dialect.run()))
        addresses = {name: str(listener.address) for name, listener in self.listeners.items()}
        self.operations.addresses.update(addresses)
        self._files.tell_listeners(addresses)

    def _gate(self) -> Gate:
        """Let in calls to the hosts that were bound or allowed, from allowed origins."""
        listen = self.settings.listen
        bound = {address[0] for name in self._bound if (address := listen.address(name))}
        return Gate(frozenset(listen.hosts) | bound, frozenset(listen.origins))


async def every(seconds: float, call: Callable[[], None]) -> None:
    """Call something on the clock until cancelled; a failure is logged and the clock goes on."""
    while True:
        await asyncio.sleep(seconds)
        try:
            call()
        except Exception:  # noqa: BLE001 the clock must go on
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
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, daemon.stopping.set)
        await daemon.open()
        ready(daemon)
        await daemon.serve()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop  # noqa: PLC0415 heavy, and needed by the daemon alone

    return uvloop.new_event_loop
