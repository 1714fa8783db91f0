"""Told means stored, and a retry is never executed twice."""

from collections import Counter
from collections.abc import Iterator

from hubbub.prove.checker.evidence import Evidence
from hubbub.prove.checker.violations import Violation


def lost(evidence: Evidence) -> Iterator[Violation]:
    """Find what was acknowledged, or told to a reader, and is not there at the end."""
    shown = {read: evidence.shown_by(read) for read in evidence.reads}
    for operation in evidence.operations.values():
        answer = operation.acknowledged
        if answer is None:
            continue
        for read in operation.first.reads:
            if operation.first.op not in shown.get(read, ()):
                detail = f"{answer.door} {answer.verb} was answered, and no {read} shows it"
                yield Violation("acknowledged but lost", operation.first.op, detail)
    for reader, connections in evidence.readers.items():
        told = {told.what for connection in connections for told in connection.told}
        for what in sorted(told - evidence.position.keys()):
            yield Violation(
                "acknowledged but lost", what, f"{reader} was told of it, and no event is stored"
            )


def executed_twice(evidence: Evidence) -> Iterator[Violation]:
    """Find effects that are there more than once, and retries with an answer of their own."""
    for (door, read), found in evidence.found.items():
        counts = Counter(one.what for one in found if one.what)
        for what, count in counts.items():
            if count > 1:
                yield Violation("executed twice", what, f"{door} shows {count} of this {read}")
    for operation in evidence.operations.values():
        values = {a.value for a in operation.answers if a.outcome == "ok" and a.value}
        if len(values) > 1:
            detail = f"{operation.first.verb} was answered with {sorted(values)}"
            yield Violation("executed twice", operation.first.op, detail)
