"""``hubbub prove`` as its users meet it."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec

from hubbub import __version__
from hubbub.prove.checker import check
from hubbub.prove.history import Fault, read
from hubbub.prove.report import Report, markdown, report
from hubbub.prove.schedule import plan


MINUTES = 0.15


def run(tmp_path: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    command = [sys.executable, "-m", "hubbub", "prove", "--minutes", str(MINUTES), *words]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


def test_prove_passes_here_and_writes_its_report(tmp_path: Path) -> None:
    """Exit code 0, a table, and next to it the history from which anyone can make it again."""
    done = run(tmp_path, "--seed", "11")
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
    done = run(tmp_path, "--json", "--out", "here")
    assert done.returncode == 0, done.stdout + done.stderr
    found = msgspec.json.decode(done.stdout, type=Report)
    assert found.counts["acknowledged"] > 0
    assert json.loads(done.stdout) == json.loads((tmp_path / "here" / "report.json").read_text())
