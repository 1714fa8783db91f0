"""Who is here: connections, acts, silence.

An agent is *active* while it acts, *idle* and then *stale* when it falls silent (on the clock,
whether or not anyone looks), and *offline* when its last connection has ended. Memory is the
truth here, because connections live in memory; the store keeps a copy, so that a restart
knows who was connected and tells everyone that they are not.

``agent.heartbeat`` is ephemeral (presence ticks are not history); ``agent.connected``,
``agent.disconnected`` and ``agent.status`` are in the journal. Each is told after what it
says has been stored.
"""

import functools
from collections.abc import Callable, Mapping, Sequence

import msgspec

from hubbub.core.bus import Bus
from hubbub.core.identity.agent_record import Record, Status, Told, turned
from hubbub.core.journal import Journal
from hubbub.core.ports import Settled, Store, Transaction
from hubbub.core.values import Clock, Event, IdSource, uuid7
from hubbub.telemetry import log


class PresenceRules(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[presence]``."""

    idle_after_s: float = 300.0
    """Seconds of silence after which an agent is idle."""
    stale_after_s: float = 1800.0
    """Seconds of silence after which an agent is stale."""
    tick_s: float = 1.0
    """Seconds between two looks at the clock; less where the silences above are shorter."""
    heartbeat_interval_s: float = 5.0
    """Seconds between two heartbeat events of one agent at least, where it did not itself send
    a heartbeat, come back from silence or turn to another issue."""
    max_agents: int = 10_000
    """Agents remembered; beyond, those without a connection are forgotten, longest silent
    first."""

    @property
    def period_s(self) -> float:
        """Seconds between two looks at the clock, so short that no status is passed over."""
        silence_s = min(self.idle_after_s, self.stale_after_s - self.idle_after_s)
        return min(self.tick_s, max(silence_s / 2, 0.05))

    def __post_init__(self) -> None:
        """Check that the times make sense.

        Raises:
            ValueError: They do not.
        """
        if not 0 < self.idle_after_s <= self.stale_after_s:
            message = "idle_after_s must be over 0, and stale_after_s not under it"
            raise ValueError(message)
        if self.tick_s <= 0 or self.heartbeat_interval_s < 0 or self.max_agents < 1:
            message = "tick_s must be over 0, heartbeat_interval_s not under 0, max_agents over 0"
            raise ValueError(message)


DAEMON = "daemon"
"""Actor of what happens on the clock."""

DEFAULT_RULES = PresenceRules()

_FADES: Mapping[Status, Status] = {"active": "idle", "idle": "stale", "stale": "active"}
"""What an agent that does nothing becomes; the last, where the clock was set back."""


class AgentPresence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one agent's presence."""

    agent: str
    status: Status
    last_heartbeat: int
    """Unix time in milliseconds of its last act."""
    active_issue_id: int | None
    doors: list[str]
    """Doors through which it is connected; without a connection, the one last heard through."""
    machine_id: str
    connected: bool


class Attachment:
    """One connection of one agent."""

    __slots__ = ("_leave", "_touch", "attached")

    def __init__(self, touch: Callable[[int | None], None], leave: Callable[[], None]) -> None:
        """Begin attached; made by ``Presence.attach``."""
        self._touch = touch
        self._leave = leave
        self.attached = True

    def touch(self, active_issue_id: int | None = None) -> None:
        """Note that the agent did something; cheap enough for every message.

        Args:
            active_issue_id: What it works on now; ``None``: as before.
        """
        if self.attached:
            self._touch(active_issue_id)

    def detach(self) -> None:
        """Note that the connection has ended; safe to call twice."""
        if self.attached:
            self.attached = False
            self._leave()


def _nothing(_settled: Settled) -> None:
    """Need not know."""


class Presence:
    """Knows every agent's presence and tells how it changes."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        bus: Bus,
        clock: Clock,
        *,
        rules: PresenceRules = DEFAULT_RULES,
        ids: IdSource = uuid7,
    ) -> None:
        """Begin with nobody; ``load`` adds whom the store knows."""
        self._journal = journal
        self._store = store
        self._bus = bus
        self._clock = clock
        self._ids = ids
        self.rules = rules
        self._interval_ms = int(rules.heartbeat_interval_s * 1000)
        self._records: dict[str, Record] = {}

    async def load(self) -> None:
        """Read the store; who was connected when the daemon ended is told as gone."""
        for row in await self._store.rows("presence_all"):
            record = Record(row[0])
            record.status, record.last, record.issue, record.machine = row[1:5]
            record.is_known = bool(row[6])
            self._records[record.agent] = record
            doors = msgspec.json.decode(row[5], type=list[str])
            # One by one, so that the events count down as they do when connections end.
            record.connections = list(doors)
            for door in doors:
                self._disconnect(record, door)

    # -- what doors call -----------------------------------------------------------------

    def attach(self, agent: str, door: str, *, machine_id: str = "") -> Attachment:
        """Note that an agent has connected; it may have any number of connections.

        Args:
            door: Name of the dialect that it came through.
        """
        record = self._record(agent)
        record.connections.append(door)
        self._act(record, beat=True, machine=machine_id, first=record.link("connected", door))
        return Attachment(
            functools.partial(self._act, record),
            functools.partial(self._disconnect, record, door),
        )

    def heard(
        self,
        agent: str,
        door: str,
        *,
        active_issue_id: int | None = None,
        machine_id: str = "",
    ) -> None:
        """Note an act without a connection.

        Args:
            door: Name of the dialect that it came through; empty where that is not known.
            active_issue_id: What it works on now; ``None``: as before.
        """
        record = self._record(agent)
        record.via = door or record.via
        self._act(record, active_issue_id, machine=machine_id)

    def beat(
        self,
        agent: str,
        door: str,
        *,
        active_issue_id: int | None = None,
        machine_id: str = "",
    ) -> AgentPresence:
        """Note a heartbeat that the agent itself sent: it is always told.

        Args:
            active_issue_id: What it works on now; ``None``: on nothing.
        """
        record = self._record(agent)
        record.via = door
        record.issue = active_issue_id
        self._act(record, beat=True, machine=machine_id)
        return _shown(record)

    def finished(self, agent: str, issue_id: int) -> None:
        """Note that an agent no longer works on an issue."""
        record = self._record(agent)
        ends = record.issue == issue_id
        record.issue = None if ends else record.issue
        self._act(record, beat=ends)

    def list(self) -> list[AgentPresence]:
        """Give all agents that are known, by name."""
        return [_shown(self._records[agent]) for agent in sorted(self._records)]

    def get(self, agent: str) -> AgentPresence | None:
        """Give one agent; ``None`` if it was never heard."""
        record = self._records.get(agent)
        return None if record is None else _shown(record)

    def tick(self) -> None:
        """Look at the clock: tell who has fallen silent, step by step."""
        for record in self._records.values():
            if record.is_behind:
                self._store_and_tell(record, [], actor=DAEMON)
            while record.status != "offline" and record.status != self._by_age(record):
                # Whoever looks seldom still tells of idle before stale.
                faded = turned(record, _FADES[record.status])
                self._store_and_tell(record, [faded], actor=DAEMON)

    # -- what changes --------------------------------------------------------------------

    def _record(self, agent: str) -> Record:
        record = self._records.get(agent)
        if record is None:
            record = self._records[agent] = Record(agent)
            if len(self._records) > self.rules.max_agents:
                self._forget_one(record)
        return record

    def _forget_one(self, newest: Record) -> None:
        absent = (r for r in self._records.values() if not r.connections and r is not newest)
        oldest = min(absent, key=lambda record: record.last, default=None)
        if oldest is not None:
            agent = oldest.agent
            del self._records[agent]

            def forget(tx: Transaction) -> None:
                tx.execute("presence_delete", agent=agent)
                tx.append(f"agents/{agent}", "agent.forgotten", {"agent": agent}, actor=DAEMON)

            self._submit(forget)

    def _by_age(self, record: Record) -> Status:
        age_ms = self._clock() - record.last
        if age_ms < self.rules.idle_after_s * 1000:
            return "active"
        return "idle" if age_ms < self.rules.stale_after_s * 1000 else "stale"

    def _act(
        self,
        record: Record,
        issue: int | None = None,
        *,
        beat: bool = False,
        machine: str = "",
        first: Told | None = None,
    ) -> None:
        """Note an act; tell it unless that was done a moment ago and nothing is new.

        Args:
            first: What is stored and told before all else.
        """
        now = record.last = self._clock()
        woken = record.status != "active"
        is_other = issue is not None and issue != record.issue
        if not (beat or woken or is_other) and now - record.told < self._interval_ms:
            return
        record.told = now
        record.machine = machine or record.machine
        if is_other:
            record.issue = issue
        tell = functools.partial(self._bus.tell, self._heartbeat(record))
        self._store_and_tell(record, [] if first is None else [first], then=tell)
        if woken:
            self._store_and_tell(record, [turned(record, "active")])

    def _heartbeat(self, record: Record) -> Event:
        data: dict[str, object] = {"agent": record.agent, "at": record.last}
        if record.issue is not None:
            data["active_issue_id"] = record.issue
        return Event(
            seq=0,
            id=self._ids(),
            topic=f"agents/{record.agent}",
            kind="agent.heartbeat",
            actor=f"agent:{record.agent}",
            at=record.last,
            data=msgspec.Raw(msgspec.json.encode({**data, "status": "active"})),
        )

    def _disconnect(self, record: Record, door: str) -> None:
        record.connections.remove(door)
        record.via = door
        told = [record.link("disconnected", door)]
        if not record.connections:
            told.append(turned(record, "offline"))
        self._store_and_tell(record, told)

    # -- storing -------------------------------------------------------------------------

    def _store_and_tell(
        self,
        record: Record,
        events: Sequence[Told],
        *,
        then: Callable[[], None] | None = None,
        actor: str | None = None,
    ) -> None:
        if record.is_behind and not events:
            events = [turned(record, record.status)]
        record.is_behind = False
        topic, row = f"agents/{record.agent}", record.row()
        by = actor or f"agent:{record.agent}"

        def store(tx: Transaction) -> None:
            tx.execute("presence_put", **row)
            for kind, data in events:
                tx.append(topic, kind, data, actor=by)

        def done(settled: Settled) -> None:
            if settled.error is None and then is not None:
                then()
            # Memory stays right, and what comes next takes the whole row along.
            record.is_behind = record.is_behind or (settled.error is not None and bool(events))

        self._submit(store, done)

    def _submit(
        self, unit: Callable[[Transaction], object], done: Callable[[Settled], None] = _nothing
    ) -> None:
        def settle(settled: Settled) -> None:
            if settled.error is not None:
                log.warning("presence_not_stored", error=str(settled.error))
            done(settled)

        self._journal.submit(unit, settle)


def _shown(record: Record) -> AgentPresence:
    """Give what may be shown."""
    doors = set(record.connections) or {record.via} - {""}
    return AgentPresence(
        agent=record.agent,
        status=record.status,
        last_heartbeat=record.last,
        active_issue_id=record.issue,
        doors=sorted(doors),
        machine_id=record.machine,
        connected=bool(record.connections),
    )
