"""Logs: what they show, and that they hurt nobody."""

import io
import sys
from collections.abc import Iterator

import pytest
import structlog

from hubbub.telemetry import log, set_up_logging


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
