"""Runs outlive connections, and each comes to one end."""

from collections import Counter
from collections.abc import Iterator

from hubbub.prove.checker.evidence import Evidence
from hubbub.prove.checker.violations import Violation


BEGINS = ("run.started", "chat.accepted")
ENDS = ("run.ended", "chat.final", "chat.error", "chat.aborted")


def stuck(evidence: Evidence) -> Iterator[Violation]:
    """Find runs and turns without an end, and requests that were never answered."""
    ended = Counter((e.kind.partition(".")[0], e.value) for e in evidence.events if e.kind in ENDS)
    for event in evidence.events:
        if event.kind in BEGINS and not ended[event.kind.partition(".")[0], event.value]:
            yield Violation("run stuck", event.value, f"{event.kind}, and no event tells its end")
    for (door, read), found in evidence.found.items():
        if read == "run":
            for run in found:
                if run.value == "in_progress":
                    yield Violation("run stuck", run.what, f"{door} shows it in progress")
    for operation in evidence.operations.values():
        if operation.is_open:
            detail = f"{operation.first.door} {operation.first.verb} was never answered"
            yield Violation("run stuck", operation.first.op, detail)


def ended_twice(evidence: Evidence) -> Iterator[Violation]:
    """Find runs and turns with more than one end."""
    ended = Counter((e.kind.partition(".")[0], e.value) for e in evidence.events if e.kind in ENDS)
    for (_, run_id), count in ended.items():
        if count > 1:
            yield Violation("executed twice", run_id, f"{count} events tell its end")
