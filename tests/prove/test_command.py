"""``hubbub prove`` as its users meet it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from hubbub import __version__
from hubbub.cli.main import root
from hubbub.prove import run
from hubbub.prove.checker import check
from hubbub.prove.checker.violations import Violation
from hubbub.prove.desk import Client, Desk
from hubbub.prove.history import Fault, read
from hubbub.prove.process import COMMAND, SubjectFailed
from hubbub.prove.report import Report, markdown, report
from hubbub.prove.run import ClientFailed, Outcome, Progress, Work, prove
from hubbub.prove.schedule import plan
from tests.daemon import Daemon


MINUTES = 0.15


def command(tmp_path: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    line = [sys.executable, "-m", "hubbub", "prove", "--minutes", str(MINUTES), *words]
    environment = Daemon(tmp_path / "unused").environment()
    return subprocess.run(
        line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )


def test_prove_passes_here_and_writes_its_report(tmp_path: Path) -> None:
    """Exit code 0, a table, and next to it the history from which anyone can make it again."""
    done = command(tmp_path, "--seed", "11")
    assert done.returncode == 0, done.stdout + done.stderr
    folder = tmp_path / "prove-11"
    assert "acknowledged but lost   0" in done.stdout
    records = read(folder / "history.jsonl")
    assert check(records) == []
    again = report(records, [], seed=11, minutes=MINUTES, version=__version__)
    assert markdown(again) == (folder / "report.md").read_text("utf-8")
    planned = [fault.kind for fault in plan(11, MINUTES * 60)]
    assert [record.what for record in records if isinstance(record, Fault)] == planned


def test_prove_answers_a_program_in_json(tmp_path: Path) -> None:
    """One object on standard output, the same as in the file."""
    done = command(tmp_path, "--json", "--out", "here")
    assert done.returncode == 0, done.stdout + done.stderr
    found = msgspec.json.decode(done.stdout, type=Report)
    assert found.counts["acknowledged"] > 0
    assert json.loads(done.stdout) == json.loads((tmp_path / "here" / "report.json").read_text())


def test_a_violation_ends_the_command_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is told in a line; of many, the first."""
    monkeypatch.chdir(tmp_path)
    violations = [Violation("run stuck", f"run-{number}", "hangs") for number in range(30)]

    async def broken(_work: Work, tell: Callable[[Progress], None]) -> Outcome:
        tell(Progress(phase="judging", at=1, seconds=6, records=0, faults=["kill"]))
        return Outcome(records=(), violations=violations)

    monkeypatch.setattr(run, "prove", broken)
    result = CliRunner().invoke(root, ["prove", "--minutes", "0.1", "--seed", "1"])
    assert result.exit_code == 1
    assert "run stuck               30" in result.stdout
    assert "run stuck: run-19: hangs\nand 10 more" in result.stderr
    assert not result.exception or isinstance(result.exception, SystemExit)


class Clumsy:
    """A door whose client makes a mistake."""

    name = "hubbub"

    @property
    def writers(self) -> dict[str, Client]:
        """One, that fails at once."""
        return {"clumsy": self.fail}

    @property
    def readers(self) -> dict[str, Client]:
        """None."""
        return {}

    async def fail(self, desk: Desk) -> None:
        """Make the mistake."""
        raise ValueError(desk.name)

    async def look(self, desk: Desk) -> None:
        """See nothing."""


def work(folder: Path, *command: str) -> Work:
    """Plan a proof that will not come to its end."""
    return Work(
        seed=1, seconds=5, faults=(), doors=[Clumsy()], folder=folder, command=command or COMMAND
    )


async def test_a_mistake_of_a_client_is_no_violation(tmp_path: Path) -> None:
    """The proof ends, and says whose it was."""
    with pytest.raises(ClientFailed, match="the client clumsy failed: ValueError: clumsy"):
        await prove(work(tmp_path), _unheard)


async def test_a_daemon_that_does_not_start_is_no_violation(tmp_path: Path) -> None:
    """The proof ends, and names the log."""
    with pytest.raises(SubjectFailed, match=r"ended by itself with code 7; see .*daemon\.log"):
        await prove(work(tmp_path, sys.executable, "-c", "raise SystemExit(7)"), _unheard)


def _unheard(_: Progress) -> None:
    """Nobody watches."""
