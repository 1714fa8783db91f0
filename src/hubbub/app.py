"""The composition root: one daemon, from its data directory to its doors and back."""

import asyncio
import contextlib
import gc
import os
import resource
import signal
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from hubbub.config import Settings
from hubbub.core.bus import Bus
from hubbub.core.chat.turn_times import TurnTimes
from hubbub.core.identity.access import Access
from hubbub.core.identity.browsers import page_link
from hubbub.core.journal import Journal
from hubbub.core.operations import Operations
from hubbub.core.values import OPERATOR, Clock, uuid7, wall_clock
from hubbub.data_directory import DataDirectory
from hubbub.dialects.base import Dialect
from hubbub.doors import Doors
from hubbub.errors import HubbubError
from hubbub.services import Services
from hubbub.storage.sqlite import SqliteStore
from hubbub.telemetry import Metrics, log
from hubbub.transport.server import Listener
from hubbub.transport.tick import Tick
from hubbub.transport.uring import Ring, open_ring
from hubbub.vitals import Look


MOST_DESCRIPTORS = 1 << 20
"""Open files that a daemon asks for, where the system's hard limit is higher."""
COLLECT_AFTER = (10_000, 20, 10)
"""New objects after which the collector of cycles looks at the young ones, and how many of such
looks it takes until it looks at older ones too."""


class Daemon:
    """One hubbub daemon on one data directory."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = wall_clock,
        crash: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare; nothing is touched before ``open``.

        Args:
            clock: Gives the time that leases, retention and events go by.
            crash: Called with the name of each point at which this process may be killed, and
                on the writer's thread before and after each commit; ``None``: what the
                settings say.
        """
        self.settings = settings
        self._clock = clock
        self._crash = crash_points(settings.crash_at) if crash is None else crash
        self.metrics = Metrics()
        self.stopping = asyncio.Event()
        self.operations = Operations(self.metrics, stop=self.stopping.set, started_at=clock())
        self.files = DataDirectory(settings.data_dir)
        self._services = Services(settings, self.files, self.operations, clock)
        self._doors = Doors(settings, self.metrics)
        self._store: SqliteStore | None = None
        self._journal: Journal | None = None
        self._ring: Ring | None = None
        self._access: Access | None = None

    @property
    def listeners(self) -> dict[str, Listener]:
        """What is open, by name."""
        return self._doors.listeners

    @property
    def tls(self) -> ssl.SSLContext | None:
        """What knows the certificate of hubbub's own listener; ``None``: it speaks plain HTTP."""
        from hubbub.client.tls import pinned  # noqa: PLC0415 only a demo over TLS needs it

        certificate = self._doors.certificate()
        return None if certificate is None else pinned(certificate)

    @property
    def dialects(self) -> Mapping[str, Dialect]:
        """What is spoken, by name."""
        return self._doors.dialects

    async def link(self) -> str | None:
        """Give a link that opens the page once; ``None``: it is not served, or cannot be now."""
        listener = self.listeners.get("hubbub")
        if listener is None or self._access is None:
            return None
        try:
            made = await self._access.browsers.ticket(OPERATOR)
        except HubbubError as error:
            log.warning("no_link", reason=str(error))
            return None
        return page_link(listener.url, made.ticket)

    async def open(self) -> None:
        """Take addresses and data directory, open the store, build the services, open the doors.

        Raises:
            StartError: An address is taken, the directory is in use, the store is too new.
        """
        settings = self.settings
        try:
            # Clients that look for a daemon must not find one that was killed.
            self.files.forget_stale()
            self._doors.bind()
            self.files.take()
            for mended in self.files.protect():
                log.warning("mode_mended", path=mended, reason="other users could read it")
            self._doors.warn_of_skipped()
            in_memory = settings.ephemeral or settings.demo
            path = None if in_memory else self.files.private("hubbub.db")
            self._store = store = SqliteStore(
                path, clock=self._clock, ids=uuid7, crash=self._crash, limits=settings.store
            )
            self._ring = open_ring() if settings.limits.batched_sends else None
            tick = Tick(asyncio.get_running_loop(), settings.limits, self._ring)
            bus = Bus(store, tick.tell)
            self._journal = journal = Journal(store, bus, crash=self._crash)
            store.start()
            hub = await self._services.open(journal, store, bus)
            self._access = hub.access
            self.operations.look = Look(
                settings,
                hub,
                store,
                listeners=self._doors.listeners,
                quotas=self._doors.quotas,
                metrics=self.metrics,
            )
            self._show(bus, store, journal)
            addresses = await self._doors.open(hub, self.files, tick)
            self._services.start()
            self.operations.addresses.update(addresses)
            self.files.tell_listeners(addresses, self._doors.certificate())
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the services, close the doors, finish what is queued, free the directory."""
        self.operations.is_stopping = True
        self.files.forget_listeners()
        await self._services.close()
        await self._doors.close()
        if self._journal is not None:
            await self._journal.settled()
        if self._store is not None:
            await asyncio.to_thread(self._store.close)
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.close()
        self.files.free()

    def _show(self, bus: Bus, store: SqliteStore, journal: Journal) -> None:
        """Give the figures to ``/metrics``."""
        gauge = self.metrics.gauge
        TurnTimes(bus, self.metrics)
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
        gauge("hubbub_queued_bytes", "Bytes that wait for slow clients.", self._doors.queued_bytes)


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


def run(daemon: Daemon, ready: Callable[[Daemon], Awaitable[None]]) -> None:
    """Run a daemon until SIGINT, SIGTERM or a door's shutdown verb, then stop it; blocks.

    Args:
        ready: Called once every listener answers.
    """

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, daemon.stopping.set)
        await daemon.open()
        _rest_collector()
        await ready(daemon)
        show = asyncio.create_task(_demo(daemon)) if daemon.settings.demo else None
        await daemon.stopping.wait()
        if show is not None:
            show.cancel()
            await asyncio.gather(show, return_exceptions=True)
        await daemon.close()

    _allow_descriptors()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main())


def _rest_collector() -> None:
    """Have the collector of cycles look less often, and never at what is here to the end.

    By default it looks after 700 new objects, which is every few requests, and each time at all
    that is in flight: a tenth of what a request costs. What is no cycle goes at once as before.
    """
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def _allow_descriptors() -> None:
    """Take as many open files as the system's hard limit gives: a plain WebSocket holds two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):  # a kernel's own limit may be lower
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _demo(daemon: Daemon) -> None:
    """Let two agents talk, as long as they can."""
    from hubbub.client import ClientError  # noqa: PLC0415 only needed here
    from hubbub.demo import talk  # noqa: PLC0415 as above

    listener = daemon.listeners.get("hubbub")
    if listener is None:
        return
    try:
        await talk(listener.url, daemon.files.operator_token(), tls=daemon.tls)
    except* ClientError as errors:
        log.warning("demo_ended", reason="; ".join(map(str, errors.exceptions)))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop  # noqa: PLC0415 heavy, and needed by the daemon alone

    return uvloop.new_event_loop
