"""Locks are fenced: one holder at a time, and no write under a grant that has passed."""

from collections import defaultdict
from collections.abc import Iterator

from hubbub.prove.checker.evidence import Evidence, Operation
from hubbub.prove.checker.violations import Violation
from hubbub.prove.history import Found


GRANTS = ("lock.claimed", "lock.stolen")
ENDS = ("lock.released", "lock.lost")


def held_by_two(evidence: Evidence) -> Iterator[Violation]:
    """Find grants that were made while another held, and fences that did not grow."""
    for lock, events in _by_lock(evidence).items():
        yield from _overlaps(lock, events)
    yield from _one_fence_two_holders(evidence)


def stale_accepted(evidence: Evidence) -> Iterator[Violation]:
    """Find writes that were accepted under a grant which was known to have passed.

    Known: before the write was first asked for, a newer grant or the end of this one had been
    answered to somebody.
    """
    passed: dict[str, list[tuple[float, int, str]]] = defaultdict(list)
    for operation in evidence.operations.values():
        answer, asked = operation.acknowledged, operation.first
        if answer is None or asked.lock is None:
            continue
        if answer.fence is not None:
            note = f"{asked.writer} had got fence {answer.fence}"
            passed[asked.lock].append((answer.at, answer.fence, note))
        elif asked.verb == "lock.release" and asked.fence is not None:
            # From here on only a greater number is good.
            note = f"{asked.writer} had released fence {asked.fence}"
            passed[asked.lock].append((answer.at, asked.fence + 1, note))
    for operation in evidence.operations.values():
        yield from _stale(operation, passed)


def _stale(
    operation: Operation, passed: dict[str, list[tuple[float, int, str]]]
) -> Iterator[Violation]:
    asked = operation.first
    if operation.acknowledged is None or asked.fence is None or asked.verb == "lock.release":
        return
    for at, fence, note in passed[asked.lock or ""]:
        if fence > asked.fence and at < asked.at:
            detail = f"{asked.verb} by {asked.writer} with fence {asked.fence}; before, {note}"
            yield Violation("stale fence accepted", asked.op, detail)
            return


def _by_lock(evidence: Evidence) -> dict[str, list[Found]]:
    """Give the grants and ends of each lock, in the journal's order."""
    locks: dict[str, list[Found]] = defaultdict(list)
    for event in evidence.events:
        if event.kind in GRANTS + ENDS:
            locks[event.stream].append(event)
    return locks


def _overlaps(lock: str, events: list[Found]) -> Iterator[Violation]:
    holder, newest = "", 0
    for event in events:
        fence = event.fence or 0
        if event.kind in ENDS:
            holder = "" if fence == newest else holder
            continue
        if event.kind == "lock.claimed" and holder not in ("", event.value):
            detail = f"{event.value} got it while {holder} held it ({event.position})"
            yield Violation("lock held by two", lock, detail)
        if fence <= newest:
            detail = f"fence {fence} was granted after {newest}"
            yield Violation("lock held by two", lock, detail)
        holder, newest = event.value, max(fence, newest)


def _one_fence_two_holders(evidence: Evidence) -> Iterator[Violation]:
    """Find one number that was given to two; and numbers of which no event tells."""
    granted = {(e.stream, e.fence) for e in evidence.events if e.kind in GRANTS}
    holders: dict[tuple[str, int], str] = {}
    for operation in evidence.operations.values():
        answer, asked = operation.acknowledged, operation.first
        if answer is None or answer.fence is None or asked.lock is None:
            continue
        grant = (asked.lock, answer.fence)
        other = holders.setdefault(grant, asked.writer)
        if other != asked.writer:
            detail = f"{other} and {asked.writer} got fence {answer.fence}"
            yield Violation("lock held by two", asked.lock, detail)
        if grant not in granted:
            detail = f"{asked.writer} got fence {answer.fence}, and no event tells of it"
            yield Violation("acknowledged but lost", asked.lock, detail)
