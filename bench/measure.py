"""Comparisons with a bound: what is measured, in which order, and what counts as too slow.

A comparison measures one bound and one or more candidates with the same load. Rounds are
interleaved, bound first, then each candidate, then the bound again, so that a machine that is
busy for a while is busy for all. Medians are compared, and only ratios are judged.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec


class Reading(msgspec.Struct, frozen=True):
    """One measured figure; less is better."""

    value: float
    detail: dict[str, Any] = {}
    """What else the measuring program said, for the JSON file."""


class ProbeFailed(Exception):
    """A measurement gave no figure: something was refused, lost or late."""


class Skipped(Exception):
    """A measurement does not apply here; the text says why."""


Probe = Callable[[], Reading]


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One of our ways to do what the bound does."""

    door: str
    """The listener and, where there are several, the way in: `x0x by POST`."""
    probe: Probe
    budget: float | None = None
    """Greatest allowed ratio to the bound; `None` means that the figure is only shown."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A load, its bound, and the candidates that carry the same load."""

    name: str
    unit: str
    bound_name: str
    bound: Probe
    candidates: tuple[Candidate, ...]

    def matches(self, wanted: Sequence[str]) -> bool:
        """Tell whether one of the wanted parts is in the name; no parts want everything."""
        return not wanted or any(part in self.name for part in wanted)


class Outcome(msgspec.Struct, kw_only=True):
    """What one candidate made of one comparison, over all rounds."""

    name: str
    door: str
    unit: str
    bound_name: str
    budget: float | None
    ours: list[Reading]
    bound: list[Reading]
    trouble: str = ""
    """Why there is no figure: a failure, or a reason to skip that begins with `skipped: `."""

    @property
    def our_median(self) -> float | None:
        """The median of our figures, in `unit`; `None` without any."""
        return _median(self.ours)

    @property
    def bound_median(self) -> float | None:
        """The median of the bound's figures, in `unit`; `None` without any."""
        return _median(self.bound)

    @property
    def ratio(self) -> float | None:
        """Our median in multiples of the bound's."""
        ours, bound = self.our_median, self.bound_median
        return ours / bound if ours is not None and bound else None

    @property
    def was_skipped(self) -> bool:
        """Whether this was left out on purpose."""
        return self.trouble.startswith("skipped: ")

    @property
    def verdict(self) -> str:
        """One word: `pass`, `FAIL`, `skipped`, `error`, or `shown` where no budget is set."""
        if self.trouble:
            return "skipped" if self.was_skipped else "error"
        if self.budget is None or self.ratio is None:
            return "shown"
        return "pass" if self.ratio <= self.budget else "FAIL"

    @property
    def is_good(self) -> bool:
        """Whether this leaves the exit code at 0."""
        return self.verdict in {"pass", "shown", "skipped"}


def run(
    comparison: Comparison, *, rounds: int, progress: Callable[[str], None]
) -> Iterator[Outcome]:
    """Measure one comparison and give an outcome per candidate.

    Args:
        rounds: How often each candidate is measured, at least once.
        progress: Told what is being measured, in words.
    """
    outcomes = [
        Outcome(
            name=comparison.name,
            door=candidate.door,
            unit=comparison.unit,
            bound_name=comparison.bound_name,
            budget=candidate.budget,
            ours=[],
            bound=[],
        )
        for candidate in comparison.candidates
    ]
    bound: list[Reading] = []
    trouble = ""
    for number in range(1, rounds + 1):
        trouble = trouble or _measure(
            comparison.bound, bound, f"{comparison.name}: bound, round {number}", progress
        )
        for candidate, outcome in zip(comparison.candidates, outcomes, strict=True):
            what = f"{comparison.name}: {candidate.door}, round {number}"
            if not outcome.trouble:
                outcome.trouble = _measure(candidate.probe, outcome.ours, what, progress)
    if len(bound) == rounds and len(outcomes) > 1:
        # The bound stands at both ends of the last round, for drift over several candidates.
        what = f"{comparison.name}: bound, once more"
        trouble = _measure(comparison.bound, bound, what, progress)
    for outcome in outcomes:
        outcome.bound = bound
        outcome.trouble = outcome.trouble or _of_bound(trouble)
        yield outcome


def _measure(probe: Probe, into: list[Reading], what: str, progress: Callable[[str], None]) -> str:
    """Append one reading and return an empty text, or return what went wrong."""
    progress(what)
    try:
        into.append(probe())
    except Skipped as reason:
        return f"skipped: {reason}"
    except ProbeFailed as failure:
        return str(failure)
    return ""


def _of_bound(trouble: str) -> str:
    """Say whose trouble it is; a bound that does not apply here skips its candidates."""
    return trouble if not trouble or trouble.startswith("skipped: ") else f"bound: {trouble}"


def _median(readings: Sequence[Reading]) -> float | None:
    return statistics.median(reading.value for reading in readings) if readings else None
