"""What was asked, answered, told and found, with times: the evidence that is judged.

Clients write it, the checker reads it, and the report keeps it. Times are monotonic seconds
since the history began. Every effect has a *label*: a text that is in the request and comes
back in the event and in every read, unique in the whole run. Doors that show no text of the
client's own name the effect by what they do show (``label``), so that what one door tells
can be compared with what another stored.
"""

import base64
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec


Outcome = Literal["ok", "refused", "unknown"]
"""``unknown``: the connection died before an answer; the effect may or may not be there."""

Seam = Literal["exact", "overlap", "live"]
"""What a door promises to a reader that comes back.

``exact``: all that was missed, once. ``overlap``: all that was missed, and perhaps some that
was told before (x0x's ``backfill``). ``live``: what happens from now on.
"""


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", omit_defaults=True):
    """One line of the history."""

    at: float
    """Seconds since the history began."""


class Asked(Record, frozen=True, kw_only=True, tag="asked"):
    """A writer sent a request; a retry is another record of the same ``op``."""

    writer: str
    door: str
    verb: str
    op: str
    """Label of the effect; the same for every attempt."""
    stream: str
    """Topic of the journal on which the effect shows; empty where it is not known yet."""
    reads: tuple[str, ...] = ("event",)
    """Which reads (``Found.read``) must show the effect once it was acknowledged."""
    key: str | None = None
    """Idempotency key; without one a request whose answer was lost is not sent again."""
    attempt: int = 1
    fence: int | None = None
    """The fence that was presented."""
    lock: str | None = None
    """The lock that is asked for, or under which the write is made."""


class Answered(Record, frozen=True, kw_only=True, tag="answered"):
    """An attempt ended."""

    writer: str
    door: str
    verb: str
    op: str
    attempt: int
    outcome: Outcome
    value: str = ""
    """What the daemon gave: an event's, issue's or run's id."""
    fence: int | None = None
    """The fence that was granted."""
    detail: str = ""
    """Why it was refused or is unknown."""


class Joined(Record, frozen=True, kw_only=True, tag="joined"):
    """A reader is connected and follows streams."""

    reader: str
    door: str
    seam: Seam
    streams: tuple[str, ...]
    """Topics and ``prefix/*`` patterns."""
    connection: int
    """Counts this reader's connections from 1."""
    kinds: tuple[str, ...] = ()
    """Kinds of events that this door shows on those streams; empty for all."""
    one_order: bool = True
    """Whether all its events come in the journal's order; otherwise those of each stream do."""
    recovered: bool | None = None
    """What the daemon said; ``None`` where the door has no word for it, or at a first join."""
    after: int | None = None
    """Position that the reader gave, where the door has one."""


class Told(Record, frozen=True, kw_only=True, tag="told"):
    """A reader got an event."""

    reader: str
    door: str
    connection: int
    stream: str
    what: str
    """Label of the effect."""
    position: int | None = None
    """``seq``, where the door shows it."""


class Dropped(Record, frozen=True, kw_only=True, tag="dropped"):
    """A door told a reader that it was too slow and missed something, as its protocol says."""

    reader: str
    door: str
    connection: int


class Left(Record, frozen=True, kw_only=True, tag="left"):
    """A reader's connection ended."""

    reader: str
    door: str
    connection: int


class Fault(Record, frozen=True, kw_only=True, tag="fault"):
    """A fault began at ``at`` and was over at ``until``."""

    what: str
    until: float


class Recovered(Record, frozen=True, kw_only=True, tag="recovered"):
    """The daemon was started at ``at`` and served at ``until``."""

    until: float


class Found(Record, frozen=True, kw_only=True, tag="found"):
    """At the end: one thing that a read showed."""

    door: str
    read: str
    """``event`` (the journal), ``issue``, ``run``, ``chat`` or ``lock``."""
    what: str
    """Label of the effect; empty for an event that has none."""
    stream: str = ""
    kind: str = ""
    position: int | None = None
    value: str = ""
    """State: a run's status, a lock's holder, the run of a chat event."""
    fence: int | None = None


STATED_FIELDS = frozenset(("created", "status"))
"""Fields of ``issue.changed`` that name an effect: a writer changes an issue's status once."""
NUMBERED = {
    "lock.claimed": "fence",
    "lock.stolen": "fence",
    "chat.accepted": "run_id",
    "chat.started": "run_id",
    "chat.final": "run_id",
    "chat.error": "run_id",
    "chat.aborted": "run_id",
}
"""Kinds that happen again on one topic, and the field of their data that tells them apart."""
SINGLE = frozenset(("run.started", "run.ended"))
"""Kinds that happen once on one topic."""

AnyRecord = Asked | Answered | Joined | Told | Dropped | Left | Fault | Recovered | Found


class History:
    """Collects records in the order in which they were made."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin at 0."""
        self._clock = clock
        self._began = clock()
        self.records: list[AnyRecord] = []
        self.present: set[str] = set()
        """Readers that are connected."""
        self.last_at = 0.0
        """When something was last answered or told."""

    def now(self) -> float:
        """Give the seconds since the history began."""
        return self._clock() - self._began

    def add(self, record: AnyRecord) -> None:
        """Append a record; its ``at`` is a ``now()`` that the caller took."""
        self.records.append(record)
        match record:
            case Joined():
                self.present.add(record.reader)
            case Left():
                self.present.discard(record.reader)
            case Answered() | Told():
                self.last_at = record.at
            case _:
                pass


def write(records: Iterable[AnyRecord], path: Path) -> None:
    """Write one record per line, as JSON."""
    with path.open("wb") as file:
        for record in records:
            file.write(msgspec.json.encode(record) + b"\n")


def read(path: Path) -> list[AnyRecord]:
    """Read what ``write`` wrote."""
    decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)
    return [decoder.decode(line) for line in path.read_bytes().splitlines()]


IN_BYTES = ("bytes", "direct.message")
"""Kinds of events whose data are somebody's bytes, in base64."""


def label(topic: str, kind: str, data: dict[str, Any]) -> str:
    """Name the effect that an event of the journal shows; empty for one without a name.

    Readers that get journal events use this; readers of another shape build the same text.
    """
    if "mark" in data:
        return str(data["mark"])
    if kind == "issue.changed" and data.get("field") in STATED_FIELDS:
        return f"{topic} {data['field']}"
    if kind in IN_BYTES:
        return mark_in(data["payload"])
    if kind == "run.turn":
        # The text that a writer put in: an index would not show that a turn stands twice.
        return f"{topic} {kind} {data['turn'].get('prompt') or data['index']}"
    field = NUMBERED.get(kind)
    if field is not None:
        return f"{topic} {kind} {data[field]}"
    return f"{topic} {kind}" if kind in SINGLE else ""


def nameless(position: int) -> str:
    """Name an event that has no label, for the readers of doors that show positions."""
    return f"@{position}"


def mark_in(payload: str) -> str:
    """Read the label in the bytes that x0x clients send, ``{"mark":...}``; empty without one.

    Args:
        payload: In base64.
    """
    try:
        data = msgspec.json.decode(base64.b64decode(payload))
    except ValueError:
        return ""
    return str(data.get("mark", "")) if isinstance(data, dict) else ""
