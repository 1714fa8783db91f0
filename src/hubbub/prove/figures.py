"""How fast it was: latencies of a history, by door and verb."""

import math
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from hubbub.prove.history import Answered, AnyRecord, Asked, Recovered, Told


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """One row: how long something took, in milliseconds."""

    door: str
    what: str
    count: int
    p50_ms: float
    p99_ms: float
    p999_ms: float


def latencies(records: Sequence[AnyRecord]) -> list[Latency]:
    """Measure answers by door and verb, deliveries and turns by door, and restarts.

    An answer counts from its own attempt, a delivery from the first attempt of its effect, so
    that what a fault held up shows in the last column.
    """
    spans: dict[tuple[str, str], list[float]] = defaultdict(list)
    asked: dict[tuple[str, str, int], float] = {}
    first: dict[str, float] = {}
    told: set[tuple[str, str]] = set()
    for record in records:
        match record:
            case Asked():
                asked[record.verb, record.op, record.attempt] = record.at
                first.setdefault(record.op, record.at)
            case Answered() if record.outcome == "ok":
                began = asked[record.verb, record.op, record.attempt]
                spans[record.door, record.verb].append(record.at - began)
            case Told() if (record.reader, record.what) not in told:
                told.add((record.reader, record.what))
                # The answer of a turn is its message's effect.
                cause = record.what.replace(" chat.final ", " chat.accepted ")
                if cause in first:
                    name = "(delivery)" if cause == record.what else "(answer of a turn)"
                    spans[record.door, name].append(record.at - first[cause])
            case Recovered():
                spans["daemon", "(start to serving)"].append(record.until - record.at)
            case _:
                pass
    return [_row(door, what, values) for (door, what), values in sorted(spans.items())]


def _row(door: str, what: str, values: list[float]) -> Latency:
    values.sort()
    p50, p99, p999 = (round(1000 * _at(values, share), 1) for share in (0.5, 0.99, 0.999))
    return Latency(door=door, what=what, count=len(values), p50_ms=p50, p99_ms=p99, p999_ms=p999)


def _at(values: list[float], share: float) -> float:
    """Give the smallest value that this share of all do not exceed."""
    return values[max(0, math.ceil(share * len(values)) - 1)]
