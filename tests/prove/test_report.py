"""Counts, latencies and the pages made of them."""

from pathlib import Path

import msgspec
import pytest

from hubbub.prove.checker.violations import KINDS, Violation
from hubbub.prove.figures import latencies
from hubbub.prove.history import Fault, History, Recovered, label, read, write
from hubbub.prove.report import Report, markdown, report, save
from tests.prove.stories import Story


def a_story() -> Story:
    """Tell of a request, its retry, and a reader."""
    story = Story()
    story.join()
    story.ask("a", key="k")
    story.answer("a", "unknown")
    story.ask("a", key="k", attempt=2)
    story.answer("a", attempt=2)
    story.tell("a")
    story.leave()
    story.join()
    story.store("a")
    story.records.append(Recovered(at=20, until=20.5))
    story.records.append(Fault(at=30, what="kill", until=31))
    return story


def a_report(*violations: Violation) -> Report:
    """Sum it up."""
    return report(a_story().records, violations, seed=5, minutes=1, version="1.2.3")


def test_latencies_count_from_the_attempt_and_from_the_first() -> None:
    """An answer belongs to its attempt, a delivery to the effect."""
    rows = {(row.door, row.what): row for row in latencies(a_story().records)}
    assert rows["hubbub", "publish"].p50_ms == 1000
    assert rows["hubbub", "(delivery)"].p50_ms == 4000
    assert rows["daemon", "(start to serving)"].p999_ms == 500
    assert all(row.count == 1 for row in rows.values())


def test_a_delivery_counts_once_and_a_turn_from_its_message() -> None:
    """A backfill that repeats is not late, and an answer has been asked for."""
    story = Story()
    story.join("overlap")
    story.ask("chat/s chat.accepted r")
    story.tell("chat/s chat.accepted r", "chat/s chat.final r", "chat/s chat.final r")
    rows = {row.what: row for row in latencies(story.records)}
    assert rows["(delivery)"].p50_ms == 1000
    assert rows["(answer of a turn)"].p999_ms == 2000
    assert rows["(answer of a turn)"].count == 1


@pytest.mark.parametrize(
    ("count", "measured"), [(1, (1, 1, 1)), (10, (5, 10, 10)), (1000, (500, 990, 999))]
)
def test_percentiles_are_values_that_were_measured(
    count: int, measured: tuple[float, float, float]
) -> None:
    """By the nearest rank."""
    story = Story()
    for number in range(count):
        story.records.append(Recovered(at=0, until=(number + 1) / 1000))
    (row,) = latencies(story.records)
    assert (row.p50_ms, row.p99_ms, row.p999_ms) == measured


def test_counts_tell_what_happened() -> None:
    """Each number under its name."""
    assert a_report().counts == {
        "requests": 1,
        "repeated": 1,
        "acknowledged": 1,
        "refused": 0,
        "answer lost": 1,
        "events stored": 1,
        "events told": 1,
        "reconnects": 1,
    }
    assert a_report().faults == {"kill": 1}


def test_every_kind_is_in_the_table() -> None:
    """A 0 is a result."""
    found = a_report(Violation("run stuck", "r", "x"))
    assert list(found.violations) == list(KINDS)
    assert found.violations["run stuck"] == 1
    assert sum(found.violations.values()) == 1
    assert not found.is_proved
    assert a_report().is_proved


def test_the_files_say_the_same(tmp_path: Path) -> None:
    """The page can be made of the figures again, and the history read back."""
    records = a_story().records
    found = a_report()
    save(found, records, tmp_path)
    figures = msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=Report)
    assert markdown(figures) == (tmp_path / "report.md").read_text("utf-8")
    assert "| run stuck | 0 |" in markdown(found)
    assert "seed 5" in markdown(found)
    assert read(tmp_path / "history.jsonl") == records


def test_a_history_knows_who_is_there() -> None:
    """Readers that joined and have not left; when something was last heard."""
    history = History(clock=iter([10.0, 12.5]).__next__)
    assert history.now() == 2.5
    story = a_story()
    for record in story.records:
        history.add(record)
    assert history.present == {"r"}
    assert history.last_at == 6
    assert history.records == story.records
    write(history.records, Path("/dev/null"))


@pytest.mark.parametrize(
    ("topic", "kind", "data", "named"),
    [
        ("t", "message", {"mark": "w-1"}, "w-1"),
        ("t", "message", {}, ""),
        ("issues/1", "issue.changed", {"field": "status"}, "issues/1 status"),
        ("issues/1", "issue.changed", {"field": "labels"}, ""),
        ("locks/1", "lock.claimed", {"fence": 3}, "locks/1 lock.claimed 3"),
        ("locks/1", "lock.released", {"fence": 3}, ""),
        ("runs/r", "run.turn", {"index": 0, "turn": {"prompt": "w-2"}}, "runs/r run.turn w-2"),
        ("runs/r", "run.turn", {"index": 1, "turn": {"output": "x"}}, "runs/r run.turn 1"),
        ("runs/r", "run.ended", {}, "runs/r run.ended"),
        ("chat/s", "chat.final", {"run_id": "r"}, "chat/s chat.final r"),
    ],
)
def test_labels_name_effects(topic: str, kind: str, data: dict[str, object], named: str) -> None:
    """What a client can know beforehand, or every door shows."""
    assert label(topic, kind, data) == named
