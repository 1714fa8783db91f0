"""Resume never lies: no event twice, none out of order, none missing.

What a door promises to a reader that comes back decides what is compared: all that the reader
was told (``exact``), or each of its connections for itself (``overlap``, ``live``).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from hubbub.prove.checker.evidence import Connection, Evidence
from hubbub.prove.checker.violations import Violation
from hubbub.prove.history import Told, nameless


Bounds = Callable[[str], tuple[float, float]]
"""Gives, for a stream, the positions between which nothing may be missing."""


def delivered_twice(evidence: Evidence) -> Iterator[Violation]:
    """Find events that a reader was told more than once."""
    for reader, told in _stretches(evidence):
        # An effect that was stored twice is the writers' matter, not the readers'.
        stored = Counter(event.what for event in evidence.events)
        for what, count in Counter(one.what for one in told).items():
            if count > max(1, stored[what]):
                yield Violation("delivered twice", what, f"{reader} was told {count} times")


def out_of_order(evidence: Evidence) -> Iterator[Violation]:
    """Find events that came after one that stands behind them in the journal."""
    for reader, told in _stretches(evidence):
        last: dict[str, tuple[int, str]] = defaultdict(lambda: (0, ""))
        for one in told:
            position = evidence.position.get(one.what, 0)
            line = "" if evidence.readers[reader][0].joined.one_order else one.stream
            before, what = last[line]
            if 0 < position < before:
                detail = f"{reader} was told it after {what}, which stands behind it"
                yield Violation("out of order", one.what, detail)
            elif one.position is not None and position and one.position != position:
                detail = f"{reader} was given {one.position}; it stands at {position}"
                yield Violation("out of order", one.what, detail)
            else:
                last[line] = max(last[line], (position, one.what))


def holes(evidence: Evidence) -> Iterator[Violation]:
    """Find events that a reader should have been told and was not."""
    asked_at = _asked_at(evidence)
    for reader, connections in evidence.readers.items():
        if connections[0].joined.seam == "live":
            for connection in connections:
                if not connection.has_dropped:
                    bounds = _live_bounds(evidence, connection, asked_at)
                    yield from _missing(evidence, reader, [connection], bounds)
            continue
        if not any(connection.has_dropped for connection in connections):
            bounds = _whole(evidence, connections)
            yield from _missing(evidence, reader, connections, bounds)
        for connection in connections:
            if connection.joined.recovered is False:
                what = f"resume {connection.joined.connection}"
                yield Violation("hole after resume", what, f"{reader} was told: not recovered")


def _stretches(evidence: Evidence) -> Iterator[tuple[str, Sequence[Told]]]:
    """Give what is one line of events to its reader."""
    for reader, connections in evidence.readers.items():
        if connections[0].joined.seam == "exact":
            yield reader, [told for connection in connections for told in connection.told]
        else:
            for connection in connections:
                yield reader, connection.told


def _missing(
    evidence: Evidence, reader: str, connections: Sequence[Connection], bounds: Bounds
) -> Iterator[Violation]:
    """Compare what was told with what stands from one position to another."""
    told = {one.what for one in _all(connections)}
    is_numbered = any(one.position is not None for one in _all(connections))
    for event in evidence.events:
        position = event.position or 0
        what = event.what or (nameless(position) if is_numbered else "")
        if not what or what in told or not connections[-1].shows(event):
            continue
        first, last = bounds(event.stream)
        if first <= position <= last:
            detail = f"{reader} was never told of {event.kind} at {position}"
            yield Violation("hole after resume", what, detail)


def _whole(evidence: Evidence, connections: Sequence[Connection]) -> Bounds:
    """Give the bounds of a reader that can resume: from its beginning to the end."""
    after = connections[0].joined.after
    told = (evidence.position.get(one.what, 0) for one in _all(connections))
    known = next((position for position in told if position), math.inf)
    first = known if after is None else after + 1
    return lambda _: (first, math.inf)


def _all(connections: Sequence[Connection]) -> Iterator[Told]:
    for connection in connections:
        yield from connection.told


def _live_bounds(
    evidence: Evidence, connection: Connection, asked_at: Mapping[str, float]
) -> Bounds:
    """Give the positions between which a connection must have been told everything.

    From its first event, or the first that was asked for after it had joined; to its last
    event, or the end of the journal if it was there to the end. Where the door keeps the
    order of each stream only, these are the first and last of the stream.
    """
    firsts: dict[str, int] = {}
    lasts: dict[str, int] = {}
    for one in connection.told:
        line = "" if connection.joined.one_order else one.stream
        position = evidence.position.get(one.what, 0)
        firsts.setdefault(line, position)
        lasts[line] = max(position, lasts.get(line, 0))
    joined_at, stayed = connection.joined.at, math.isinf(connection.left_at)
    asked = (evidence.position.get(w, math.inf) for w, at in asked_at.items() if joined_at < at)
    owed = min(asked, default=math.inf)

    def bounds(stream: str) -> tuple[float, float]:
        line = "" if connection.joined.one_order else stream
        last = math.inf if stayed else lasts.get(line, 0)
        return min(firsts.get(line, math.inf), owed), last

    return bounds


def _asked_at(evidence: Evidence) -> dict[str, float]:
    """Give when each effect was first asked for."""
    return {op.first.op: op.first.at for op in evidence.operations.values()}
