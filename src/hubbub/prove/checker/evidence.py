"""The history, sorted by what the judges ask of it."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from hubbub.prove.history import (
    Answered,
    AnyRecord,
    Asked,
    Dropped,
    Found,
    Joined,
    Left,
    Told,
    nameless,
)


class Operation:
    """One effect that a writer wanted: all its attempts and their answers."""

    def __init__(self, first: Asked) -> None:
        """Begin with the first attempt."""
        self.first = first
        self.answers: list[Answered] = []

    @property
    def acknowledged(self) -> Answered | None:
        """The first good answer."""
        return next((answer for answer in self.answers if answer.outcome == "ok"), None)

    @property
    def is_open(self) -> bool:
        """Whether it was still tried again when the proof ended."""
        last = self.answers[-1].outcome if self.answers else "unknown"
        return last == "unknown" and self.first.key is not None


class Connection:
    """What one reader was told between its coming and its going."""

    def __init__(self, joined: Joined) -> None:
        """Begin with nothing told."""
        self.joined = joined
        self.told: list[Told] = []
        self.has_dropped = False
        self.left_at = math.inf
        """Seconds; infinite for a connection that was there to the end."""

    def shows(self, event: Found) -> bool:
        """Say whether the door shows such an event on this connection."""
        joined = self.joined
        if joined.kinds and event.kind not in joined.kinds:
            return False
        return any(matches(event.stream, pattern) for pattern in joined.streams)


class Evidence:
    """A history, indexed."""

    def __init__(self, records: Sequence[AnyRecord]) -> None:
        """Sort all records."""
        self.operations: dict[tuple[str, str], Operation] = {}
        """By verb and label."""
        self.readers: dict[str, list[Connection]] = defaultdict(list)
        """Connections of each reader, in order."""
        self.found: dict[tuple[str, str], list[Found]] = defaultdict(list)
        """By door and read."""
        for record in records:
            self._sort(record)
        self.events = sorted(
            (found for (_, read), all_ in self.found.items() if read == "event" for found in all_),
            key=lambda found: found.position or 0,
        )
        """The journal at the end, in order."""
        self.position: dict[str, int] = {}
        """Of each label, where it first stands in the journal."""
        for event in self.events:
            position = event.position or 0
            self.position.setdefault(event.what or nameless(position), position)
        self.reads = {read for _, read in self.found}
        """The reads that were made at the end."""

    def shown_by(self, read: str) -> set[str]:
        """Give the labels that a read showed, at whichever door."""
        return {
            found.what for (_, name), all_ in self.found.items() if name == read for found in all_
        }

    def connections(self) -> Iterator[Connection]:
        """Give the connections of all readers."""
        for connections in self.readers.values():
            yield from connections

    def _sort(self, record: AnyRecord) -> None:
        match record:
            case Asked():
                self.operations.setdefault((record.verb, record.op), Operation(record))
            case Answered():
                self.operations[record.verb, record.op].answers.append(record)
            case Joined():
                self.readers[record.reader].append(Connection(record))
            case Told():
                self.readers[record.reader][-1].told.append(record)
            case Dropped():
                self.readers[record.reader][-1].has_dropped = True
            case Left():
                self.readers[record.reader][-1].left_at = record.at
            case Found():
                self.found[record.door, record.read].append(record)
            case _:
                pass  # faults and recoveries are the report's


def matches(topic: str, pattern: str) -> bool:
    """Say whether a topic is meant by a pattern: its name, ``prefix/*`` or ``*``."""
    if pattern.endswith("*"):
        return topic.startswith(pattern[:-1])
    return topic == pattern
