"""The judges: pure functions from a history to its violations, one module per promise."""

from collections.abc import Sequence

from hubbub.prove.checker import delivery, effects, holds, runs
from hubbub.prove.checker.evidence import Evidence
from hubbub.prove.checker.violations import Violation
from hubbub.prove.history import AnyRecord


def check(records: Sequence[AnyRecord]) -> list[Violation]:
    """Judge a whole history."""
    evidence = Evidence(records)
    return [
        *effects.lost(evidence),
        *effects.executed_twice(evidence),
        *delivery.delivered_twice(evidence),
        *delivery.out_of_order(evidence),
        *delivery.holes(evidence),
        *holds.held_by_two(evidence),
        *holds.stale_accepted(evidence),
        *runs.stuck(evidence),
        *runs.ended_twice(evidence),
    ]
