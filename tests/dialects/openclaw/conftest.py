"""A house with the OpenClaw door, and a way to replay conversations in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hubbub.core.absences import Absences
from hubbub.core.bus import Bus
from hubbub.core.chat.agents import Agents, AgentSettings, ChatSettings
from hubbub.core.chat.attached import AttachedAgents
from hubbub.core.chat.service import Chat
from hubbub.core.direct import Direct
from hubbub.core.hub import Hub
from hubbub.core.identity.access import Access
from hubbub.core.identity.identities import Identities
from hubbub.core.identity.presence import Presence
from hubbub.core.journal import Journal
from hubbub.core.operations import Operations
from hubbub.core.past.service import Past
from hubbub.core.runs.service import Runs
from hubbub.core.standing import Standing
from hubbub.core.topics import Topics
from hubbub.core.tracker.issue_reads import IssueReads
from hubbub.core.tracker.locks import Locks
from hubbub.core.tracker.reservations import Reservations
from hubbub.core.tracker.service import Tracker
from hubbub.core.tracker.waiting import Waiting
from hubbub.core.values import uuid7
from hubbub.dialects.openclaw.dialect import OpenclawDialect
from hubbub.dialects.openclaw.settings import OpenclawSettings
from hubbub.storage.sqlite import SqliteStore
from hubbub.telemetry import Metrics
from tests.dialects.openclaw.clients import NOW_MS, TOKEN
from tests.dialects.openclaw.house import Guest, House, PlayedAgent
from tests.dialects.openclaw.timers import ManualTimers


MAIN_AGENT = AgentSettings(
    runner="openai", base_url="http://127.0.0.1:9/v1", model="test-model", max_session_turns=1
)


class ManualClock:
    """Unix milliseconds that move only when the test says so."""

    def __init__(self) -> None:
        self.now = NOW_MS

    def __call__(self) -> int:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that the test sets."""
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteStore]:
    """Give a store that takes units of work."""
    store = SqliteStore(tmp_path / "hubbub.db", clock=clock, ids=uuid7, crash=lambda _: None)
    store.start()
    yield store
    store.close()


@pytest.fixture
def settings() -> OpenclawSettings:
    """Give the door's settings; tests of a limit override this."""
    return OpenclawSettings(final_delay_ms=0)


@pytest.fixture
async def hub(store: SqliteStore, clock: ManualClock, agent: PlayedAgent) -> AsyncIterator[Hub]:
    """Give all services on that store; every agent is played by the test."""
    bus = Bus(store)
    journal = Journal(store, bus, crash=lambda _: None)
    access = Access(journal, store, clock, TOKEN)
    runs = Runs(journal, store, bus, clock, uuid7)
    identities = Identities(journal, store, clock, "5" * 64)
    await identities.load()
    bus.listen(("agents/*",), identities.heard)
    chat = Chat(
        journal,
        store,
        bus,
        runs=runs,
        agents=Agents({"main": MAIN_AGENT}, lambda _agent: agent),
        clock=clock,
        ids=uuid7,
        settings=ChatSettings(delta_interval_ms=0),
    )
    await chat.load()
    chat.start()
    yield Hub(
        operations=Operations(Metrics(), stop=lambda: None, started_at=0),
        bus=bus,
        journal=journal,
        store=store,
        topics=Topics(journal, clock),
        runs=runs,
        attached=AttachedAgents(),
        chat=chat,
        access=access,
        identities=identities,
        direct=Direct(journal, identities, clock, uuid7),
        presence=Presence(journal, store, bus, clock),
        tracker=Tracker(clock),
        issues=IssueReads(store),
        locks=Locks(journal, store, clock),
        reservations=Reservations(journal, store, clock),
        waiting=Waiting(journal, bus, clock, uuid7),
        standing=Standing(journal, store, clock, door="x0x", daemon="d", new_id=uuid7),
        absences=Absences(journal, clock),
        past=Past(journal, store),
        clock=clock,
        ids=uuid7,
    )
    await chat.close()
    await journal.settled()


@pytest.fixture
def agent() -> PlayedAgent:
    """Give the agent that the test plays."""
    return PlayedAgent()


@pytest.fixture
async def house(hub: Hub, settings: OpenclawSettings, agent: PlayedAgent) -> AsyncIterator[House]:
    """Give a house with the door in it; its guests leave at the end."""
    timers = ManualTimers()
    dialect = OpenclawDialect(hub, settings, {"main": MAIN_AGENT}, timers)
    house = House(hub, dialect, timers, agent)
    yield house
    for guest in house.guests:
        await guest.leave()


@pytest.fixture
async def guest(house: House) -> Guest:
    """Give a client with the operator's token, past its handshake."""
    guest = await house.guest(TOKEN)
    guest.unread()
    return guest
