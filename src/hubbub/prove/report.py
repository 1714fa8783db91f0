"""The table of a proof, for people and for programs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from hubbub.prove.checker.violations import KINDS, Violation
from hubbub.prove.figures import Latency, latencies
from hubbub.prove.history import Answered, AnyRecord, Asked, Fault, Found, Joined, Told, write


HEAD = """# Proof

What a run of `hubbub prove` wrote; the words are explained in [commands](commands.md#hubbub-prove).
"""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof found."""

    version: str
    seed: int
    minutes: float
    counts: dict[str, int]
    """What happened, by its name in the table."""
    faults: dict[str, int]
    violations: dict[str, int]
    """How many of each kind; every kind is there."""
    latencies: Sequence[Latency]
    details: Sequence[Violation]

    @property
    def is_proved(self) -> bool:
        """Whether no promise was broken."""
        return not self.details


def report(
    records: Sequence[AnyRecord],
    violations: Sequence[Violation],
    *,
    seed: int,
    minutes: float,
    version: str,
) -> Report:
    """Sum a history up."""
    kinds = Counter(violation.kind for violation in violations)
    return Report(
        version=version,
        seed=seed,
        minutes=minutes,
        counts=_counts(records),
        faults=dict(sorted(Counter(r.what for r in records if isinstance(r, Fault)).items())),
        violations={kind: kinds[kind] for kind in KINDS},
        latencies=latencies(records),
        details=violations,
    )


def markdown(found: Report) -> str:
    """Give the page: what it did, what it found, how fast it was."""
    return "\n".join((HEAD, summary(found), "", *_speed_table(found), ""))


def summary(found: Report) -> str:
    """Give what it did and what it found, without the times."""
    return "\n".join((*_head(found), "", *_found_table(found)))


def save(found: Report, records: Sequence[AnyRecord], folder: Path) -> None:
    """Write history, page and figures next to each other."""
    write(records, folder / "history.jsonl")
    (folder / "report.md").write_text(markdown(found), "utf-8")
    (folder / "report.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
    )


def _counts(records: Sequence[AnyRecord]) -> dict[str, int]:
    outcomes = Counter(r.outcome for r in records if isinstance(r, Answered))
    events = [r for r in records if isinstance(r, Found) and r.read == "event"]
    return {
        "requests": sum(isinstance(r, Asked) and r.attempt == 1 for r in records),
        "repeated": sum(isinstance(r, Asked) and r.attempt > 1 for r in records),
        "acknowledged": outcomes["ok"],
        "refused": outcomes["refused"],
        "answer lost": outcomes["unknown"],
        "events stored": len(events),
        "events told": sum(isinstance(r, Told) for r in records),
        "reconnects": sum(isinstance(r, Joined) and r.connection > 1 for r in records),
    }


def _head(found: Report) -> Iterator[str]:
    faults = ", ".join(f"{count} x {name}" for name, count in found.faults.items())
    counts = ", ".join(f"{count:,} {name}" for name, count in found.counts.items())
    yield f"hubbub {found.version}, {found.minutes:g} min, seed {found.seed}. {counts}."
    yield f"Faults: {faults or 'none'}."


def _found_table(found: Report) -> Iterator[str]:
    yield "| Violation | Found |"
    yield "|---|---|"
    for kind, count in found.violations.items():
        yield f"| {kind} | {count} |"


def _speed_table(found: Report) -> Iterator[str]:
    yield "| Door | Verb | Count | p50 ms | p99 ms | p99.9 ms |"
    yield "|---|---|---|---|---|---|"
    for row in found.latencies:
        figures = f"{row.p50_ms:,.1f} | {row.p99_ms:,.1f} | {row.p999_ms:,.1f}"
        yield f"| {row.door} | {row.what} | {row.count:,} | {figures} |"
