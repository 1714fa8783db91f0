"""Resume never lies: no event twice, none out of order, none missing.

What a door promises to a reader that comes back decides what is compared: all that the reader
was told (``exact``), or each of its connections for itself (``overlap``, ``live``).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from hubbub.prove.checker.evidence import Connection, Evidence
from hubbub.prove.checker.violations import Violation
from hubbub.prove.history import Told, nameless


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
            # Only a door that shows positions has one line; x0x replays topic by topic.
            line = one.stream if one.position is None else ""
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
                    first, last = _live_bounds(evidence, connection, asked_at)
                    yield from _missing(evidence, reader, [connection], first, last)
            continue
        if not any(connection.has_dropped for connection in connections):
            first = _first(evidence, connections)
            yield from _missing(evidence, reader, connections, first, math.inf)
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
    evidence: Evidence,
    reader: str,
    connections: Sequence[Connection],
    first: float,
    last: float,
) -> Iterator[Violation]:
    """Compare what was told with what stands from one position to another."""
    told = {one.what for one in _all(connections)}
    is_numbered = any(one.position is not None for one in _all(connections))
    for event in evidence.events:
        position = event.position or 0
        what = event.what or (nameless(position) if is_numbered else "")
        if not first <= position <= last or not what or what in told:
            continue
        if connections[-1].shows(event):
            detail = f"{reader} was never told of {event.kind} at {position}"
            yield Violation("hole after resume", what, detail)


def _first(evidence: Evidence, connections: Sequence[Connection]) -> float:
    """Give where a reader that can resume began."""
    after = connections[0].joined.after
    if after is not None:
        return after + 1
    told = (evidence.position.get(one.what, 0) for one in _all(connections))
    return next((position for position in told if position), math.inf)


def _all(connections: Sequence[Connection]) -> Iterator[Told]:
    for connection in connections:
        yield from connection.told


def _live_bounds(
    evidence: Evidence, connection: Connection, asked_at: dict[str, float]
) -> tuple[float, float]:
    """Give the positions between which a connection must have been told everything.

    From its first event, or the first that was asked for after it had joined; to its last
    event, or the end of the journal if it was there to the end.
    """
    positions = [evidence.position[t.what] for t in connection.told if t.what in evidence.position]
    joined_at, left_at = connection.joined.at, connection.left_at
    asked = (
        evidence.position[what]
        for what, at in asked_at.items()
        if joined_at < at and what in evidence.position
    )
    first = min(positions[0] if positions else math.inf, min(asked, default=math.inf))
    last = max(positions, default=0)
    return first, (math.inf if math.isinf(left_at) else last)


def _asked_at(evidence: Evidence) -> dict[str, float]:
    """Give when each effect was first asked for."""
    return {op.first.op: op.first.at for op in evidence.operations.values()}
