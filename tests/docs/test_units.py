"""The unit files are what systemd understands, and shut the daemon in."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hubbub.cli.main import EXIT_START, EXIT_USAGE


PACKAGING = Path(__file__).parents[2] / "packaging"
UNITS = sorted(PACKAGING.glob("*.service"))
ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSED = 25
"""In tenths, as systemd takes it: 2.5 of 10. It calls a service OK below 5."""

needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="there is no systemd-analyze here")


def analyzed(unit: Path, *words: str) -> str:
    """Ask systemd about a unit, and insist that it has nothing to say against it."""
    command = [str(ANALYZE), *words, str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def with_a_program(unit: Path, folder: Path) -> Path:
    """Give a copy of a unit that starts a program which is here."""
    copy = folder / unit.name
    text = re.sub(r"ExecStart=\S+", f"ExecStart={sys.executable}", unit.read_text("utf-8"))
    copy.write_text(text, "utf-8")
    return copy


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_the_unit(unit: Path, tmp_path: Path) -> None:
    """No unknown key, no value that cannot be."""
    said = analyzed(with_a_program(unit, tmp_path), "verify", "--man=no")
    assert unit.name not in said


@needs_systemd
def test_unit_for_a_machine_is_shut_in(tmp_path: Path) -> None:
    """Its exposure, as systemd counts it, is low."""
    unit = with_a_program(PACKAGING / "hubbub.service", tmp_path)
    analyzed(unit, "security", "--offline=true", f"--threshold={MOST_EXPOSED}")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_leaves_the_daemon_alone_where_a_restart_cannot_help(unit: Path) -> None:
    """By the exit codes that the program has."""
    text = unit.read_text("utf-8")
    assert f"RestartPreventExitStatus={EXIT_USAGE} {EXIT_START}\n" in text
    assert "\nRestart=on-failure\n" in text
