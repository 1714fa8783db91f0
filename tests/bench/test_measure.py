"""What the benchmarks make of readings: order of measuring, medians, verdicts."""

import pytest

from bench.measure import (
    Candidate,
    Comparison,
    Outcome,
    Probe,
    ProbeFailed,
    Reading,
    Skipped,
    run,
)


def probe(values: list[float], name: str = "", order: list[str] | None = None) -> Probe:
    """Return a probe that reads the values in turn and notes that it was called."""
    left = iter(values)

    def read() -> Reading:
        if order is not None:
            order.append(name)
        return Reading(next(left))

    return read


def raising(error: Exception) -> Probe:
    """Return a probe that fails."""

    def read() -> Reading:
        raise error

    return read


def measured(bound: Probe, *candidates: Candidate, rounds: int = 3) -> list[Outcome]:
    """Run one comparison in silence."""
    comparison = Comparison(
        name="load/1", unit="s", bound_name="bound", bound=bound, candidates=candidates
    )
    said: list[str] = []
    return list(run(comparison, rounds=rounds, progress=said.append))


def test_sides_take_turns() -> None:
    """Each round measures the bound and then every candidate, and the bound comes last too."""
    order: list[str] = []
    values = [1.0] * 4
    measured(
        probe(values, "bound", order),
        Candidate(door="a", probe=probe(values, "a", order)),
        Candidate(door="b", probe=probe(values, "b", order)),
        rounds=2,
    )

    assert order == ["bound", "a", "b", "bound", "a", "b", "bound"]


def test_ratio_is_of_medians() -> None:
    """One bad reading on either side does not move the ratio."""
    [outcome] = measured(
        probe([2.0, 2.0, 50.0]), Candidate(door="a", probe=probe([3.0, 90.0, 3.0]), budget=1.5)
    )

    assert (outcome.our_median, outcome.bound_median, outcome.ratio) == (3.0, 2.0, 1.5)


@pytest.mark.parametrize(
    ("value", "budget", "verdict", "good"),
    [
        (1.4, 1.4, "pass", True),
        (1.41, 1.4, "FAIL", False),
        (99.0, None, "shown", True),
    ],
)
def test_budget_decides(value: float, budget: float | None, verdict: str, good: bool) -> None:  # noqa: FBT001 a table's column
    """A ratio up to the budget passes, one above it fails, and without one nothing is judged."""
    candidate = Candidate(door="a", probe=probe([value] * 3), budget=budget)

    [outcome] = measured(probe([1.0] * 3), candidate)

    assert (outcome.verdict, outcome.is_good) == (verdict, good)


def test_failed_measurement_is_an_error() -> None:
    """A candidate that gives no figure spoils its own line, not its neighbour's."""
    bad = Candidate(door="bad", probe=raising(ProbeFailed("delivered 3, expected 4")), budget=1.0)
    good = Candidate(door="good", probe=probe([1.0] * 3), budget=1.0)

    failed, passed = measured(probe([1.0] * 4), bad, good)

    assert (failed.verdict, failed.is_good) == ("error", False)
    assert failed.trouble == "delivered 3, expected 4"
    assert passed.verdict == "pass"


def test_skip_is_no_failure() -> None:
    """What does not apply here is named with its reason and leaves the exit code alone."""
    absent = Candidate(door="x0x", probe=raising(Skipped("no such listener")), budget=1.0)

    [outcome] = measured(probe([1.0] * 3), absent)

    assert (outcome.verdict, outcome.is_good) == ("skipped", True)
    assert outcome.trouble == "skipped: no such listener"


def test_failing_bound_judges_nobody() -> None:
    """Without the bound's figures a candidate has no ratio and its line is an error."""
    candidate = Candidate(door="a", probe=probe([1.0] * 3), budget=1.0)

    [outcome] = measured(raising(ProbeFailed("did not listen")), candidate)

    assert (outcome.ratio, outcome.verdict) == (None, "error")
    assert outcome.trouble == "bound: did not listen"


def test_bound_that_does_not_apply_skips_its_candidates() -> None:
    """On a system that cannot run the bound, its candidates are skipped, not failed."""
    candidate = Candidate(door="a", probe=probe([1.0] * 3), budget=1.0)

    [outcome] = measured(raising(Skipped("Linux only")), candidate)

    assert (outcome.verdict, outcome.trouble) == ("skipped", "skipped: Linux only")


@pytest.mark.parametrize(
    ("wanted", "matches"), [((), True), (("load",), True), (("x", "/1"), True), (("idle",), False)]
)
def test_only_looks_into_the_name(wanted: tuple[str, ...], matches: bool) -> None:  # noqa: FBT001 a table's column
    """A load is wanted when any of the parts is in its name, or when no part is given."""
    comparison = Comparison(name="load/1", unit="s", bound_name="b", bound=probe([]), candidates=())

    assert comparison.matches(wanted) is matches
