"""Logs: what they show, and that they hurt nobody."""

import io
import sys
from collections.abc import Iterator

import pytest
import structlog

from hubbub.telemetry import SAMPLED_EVERY, Recent, Sampled, log, set_up_logging


class FullDisk(io.StringIO):
    """A stream on a disk without room."""

    def write(self, text: str) -> int:
        """Refuse, as the disk does."""
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        """Refuse, as the disk does."""
        raise OSError(28, "No space left on device")


@pytest.fixture(autouse=True)
def defaults() -> Iterator[None]:
    """Give logging back as it was."""
    yield
    structlog.reset_defaults()


def test_log_line_that_cannot_be_written_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk costs the line, not the work in whose middle it was logged."""
    monkeypatch.setattr(sys, "stderr", FullDisk())
    set_up_logging()

    log.error("something_failed", reason="x")


@pytest.mark.parametrize(("as_json", "shown"), [(True, '"event":'), (False, "something_failed")])
def test_log_lines_carry_their_event_name(
    capsys: pytest.CaptureFixture[str], *, as_json: bool, shown: str
) -> None:
    """Text for people or JSON for machines, each with the stable name of the event."""
    set_up_logging(as_json=as_json)

    log.info("something_failed", reason="x")
    log.debug("not_shown")

    written = capsys.readouterr().err
    assert shown in written
    assert "something_failed" in written
    assert "not_shown" not in written


def test_quantiles_are_those_of_the_newest() -> None:
    """Of as many as are kept; of nothing there is none."""
    recent = Recent(most=100)
    assert recent.quantile(0.5) is None
    for number in range(300):
        recent.add(float(number))

    assert recent.quantile(0.5) == 250.0
    assert recent.quantile(0.99) == 299.0
    assert recent.quantile(1.0) == 299.0


def test_one_in_many_is_measured() -> None:
    """The first, then every so many; the others cost no look at a clock."""
    sampled = Sampled()
    begun = [sampled.begin() for _ in range(2 * SAMPLED_EVERY)]

    assert [number for number, began in enumerate(begun) if began] == [0, SAMPLED_EVERY]
    sampled.end(begun[0])
    assert (sampled.recent.quantile(0.5) or 0) > 0
