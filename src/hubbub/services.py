"""The services of one daemon: built, joined, kept going and ended in the right order."""

import asyncio
import os
import secrets
from collections.abc import Callable

from hubbub.config import Settings
from hubbub.core.absences import Absences
from hubbub.core.bus import Bus
from hubbub.core.chat.attached import AttachedAgents
from hubbub.core.chat.direct_turns import DirectTurns
from hubbub.core.chat.service import Chat
from hubbub.core.direct import Direct
from hubbub.core.hub import Hub
from hubbub.core.identity.access import Access
from hubbub.core.identity.browsers import Browsers
from hubbub.core.identity.identities import Identities
from hubbub.core.identity.presence import Presence
from hubbub.core.identity.signs import SignsOfLife
from hubbub.core.journal import Journal
from hubbub.core.operations import Operations, StoreProbe
from hubbub.core.past.service import Past
from hubbub.core.ports import Store
from hubbub.core.retention import Retention
from hubbub.core.runs.service import Runs
from hubbub.core.standing import Standing
from hubbub.core.topics import Topics
from hubbub.core.tracker.issue_reads import IssueReads
from hubbub.core.tracker.lease_clock import lease_clock, steady_clock
from hubbub.core.tracker.locks import Locks
from hubbub.core.tracker.reservations import Reservations
from hubbub.core.tracker.service import Tracker
from hubbub.core.tracker.waiting import Waiting
from hubbub.core.values import Clock, uuid7
from hubbub.data_directory import DataDirectory
from hubbub.errors import HubbubError
from hubbub.runners import agents_of
from hubbub.telemetry import log


PROBE_S = 1.0
"""Seconds between two attempts to write to a store that refused a write."""


class Services:
    """Builds the services on a journal; what they do on the clock ends with ``close``."""

    def __init__(
        self, settings: Settings, files: DataDirectory, operations: Operations, clock: Clock
    ) -> None:
        """Begin with nothing built."""
        self._settings = settings
        self._clock = clock
        self._files = files
        self._operations = operations
        self._chat: Chat | None = None
        self._runs: Runs | None = None
        self._browsers: Browsers | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, journal: Journal, store: Store, bus: Bus) -> Hub:
        """Build every service and bring its memory up to the store."""
        settings = self._settings
        # First: what is committed from here on, nobody has been told yet.
        absences = await self._absences(journal, store)
        grace_ms = settings.dialects.car.grace_ms
        leases = lease_clock(self._clock, steady_clock)
        self._runs = runs = Runs(
            journal, store, bus, self._clock, uuid7, grace_ms=grace_ms, leases=leases
        )
        await runs.load()
        identities = Identities(journal, store, self._clock, self._files.secret("agent.key"))
        await identities.load()
        bus.listen(("agents/*",), identities.heard)
        for name in settings.agents:
            identities.agent_id(name)
        access = await self._access(journal, store, identities)
        presence = Presence(journal, store, bus, self._clock, rules=settings.presence)
        await presence.load()
        SignsOfLife(presence, bus)
        self._every(settings.presence.period_s, presence.tick)
        locks, reservations, waiting = await self._claims_on(journal, store, bus, leases)
        attached = AttachedAgents()
        self._chat = chat = self._chat_on(journal, store, bus, runs, attached)
        await chat.load()
        await self._retain(journal, store, bus)
        return Hub(
            bus=bus,
            journal=journal,
            store=store,
            topics=Topics(journal, self._clock),
            runs=runs,
            attached=attached,
            chat=chat,
            access=access,
            identities=identities,
            direct=Direct(journal, identities, self._clock, uuid7, turn_of=DirectTurns(chat).of),
            presence=presence,
            tracker=Tracker(self._clock, limits=settings.tracker, leases=leases),
            issues=IssueReads(store, limits=settings.tracker),
            locks=locks,
            reservations=reservations,
            waiting=waiting,
            operations=self._operations,
            standing=await self._standing(journal, store),
            absences=absences,
            past=Past(journal, store),
            clock=self._clock,
            ids=uuid7,
        )

    async def _access(self, journal: Journal, store: Store, identities: Identities) -> Access:
        """Let callers in: the operator, agents, browsers."""
        access = Access(
            journal,
            store,
            self._clock,
            self._files.operator_token(),
            on_agent=identities.agent_id,
            limits=self._settings.limits,
        )
        await access.load()
        self._browsers = access.browsers
        self._every(access.browsers.tick_s, access.browsers.tick)
        return access

    def start(self) -> None:
        """Take up the work that waits; call when the doors are open."""
        if self._runs is not None:
            self._runs.open()
        if self._chat is not None:
            self._chat.start()

    async def close(self) -> None:
        """End what runs."""
        if self._browsers is not None:
            self._browsers.tick()
        if self._chat is not None:
            await self._chat.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _claims_on(
        self, journal: Journal, store: Store, bus: Bus, leases: Clock
    ) -> tuple[Locks, Reservations, Waiting]:
        """Build what agents claim and wait for."""
        settings = self._settings
        locks = Locks(journal, store, leases, rules=settings.locks)
        reservations = Reservations(journal, store, leases, rules=settings.reservations)
        waiting = Waiting(journal, bus, leases, uuid7, rules=settings.waits)
        await waiting.load(max(settings.locks.max_lease_ms, settings.reservations.max_lease_ms))
        self._every(settings.locks.tick_s, locks.tick)
        self._every(settings.reservations.tick_s, reservations.tick)
        self._every(settings.waits.tick_s, waiting.tick)
        return locks, reservations, waiting

    def _chat_on(
        self, journal: Journal, store: Store, bus: Bus, runs: Runs, attached: AttachedAgents
    ) -> Chat:
        settings = self._settings
        return Chat(
            journal,
            store,
            bus,
            runs=runs,
            agents=agents_of(settings.agents, attached=attached, environ=os.environ),
            clock=self._clock,
            ids=uuid7,
            settings=settings.chat,
        )

    async def _absences(self, journal: Journal, store: Store) -> Absences:
        """Find out where those were who were here when the last daemon ended."""
        absences = Absences(journal, self._clock, rules=self._settings.absences)
        await absences.load(store.last_seq())
        return absences

    async def _standing(self, journal: Journal, store: Store) -> Standing:
        """Bring back what was subscribed through the x0x door."""
        standing = Standing(
            journal,
            store,
            self._clock,
            door="x0x",
            daemon=uuid7(),
            new_id=lambda: secrets.token_hex(8),
        )
        await standing.load()
        return standing

    async def _retain(self, journal: Journal, store: Store, bus: Bus) -> None:
        """Watch over the store: what may go, and whether it takes writes."""
        probe = StoreProbe(journal, store)
        self._operations.add_check(probe.check)
        self._every(PROBE_S, probe.tick)
        rules = self._settings.store.rules()
        retention = Retention(
            journal,
            store,
            bus,
            self._clock,
            rules,
            answers_ms=self._settings.store.answers_ms,
        )
        await retention.load()
        self._tasks.append(asyncio.create_task(self._cut(retention)))

    async def _cut(self, retention: Retention) -> None:
        """Cut what no rule keeps, now and then."""
        while True:
            try:
                await retention.cut()
            except HubbubError as error:
                log.warning("retention_failed", reason=str(error))
            await asyncio.sleep(self._settings.store.retention_interval_s)

    def _every(self, seconds: float, call: Callable[[], None]) -> None:
        self._tasks.append(asyncio.create_task(every(seconds, call)))


async def every(seconds: float, call: Callable[[], None]) -> None:
    """Call something on the clock until cancelled; a failure is logged and the clock goes on."""
    while True:
        await asyncio.sleep(seconds)
        try:
            call()
        except Exception:  # noqa: BLE001 the clock must go on
            log.exception("tick_failed", call=repr(call))
