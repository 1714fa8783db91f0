"""Both ways to start the program lead to the same command."""

import subprocess
import sys
from pathlib import Path

import pytest

import hubbub


SCRIPT = Path(sys.executable).with_name("hubbub")


@pytest.mark.parametrize("command", [[str(SCRIPT)], [sys.executable, "-m", "hubbub"]])
def test_installed_program_names_itself_and_its_version(command: list[str]) -> None:
    """The console script and `python -m hubbub` answer alike, and keep quiet on standard error."""
    if not Path(command[0]).exists():
        pytest.skip("hubbub is not installed here; `make test` installs it")
    result = subprocess.run([*command, "version"], capture_output=True, text=True, check=True)
    assert result.stdout == f"hubbub {hubbub.__version__}\n"
    assert result.stderr == ""


@pytest.mark.parametrize("command", [[str(SCRIPT)], [sys.executable, "-m", "hubbub"]])
def test_unknown_command_is_a_usage_error(command: list[str]) -> None:
    """Exit code 2 and the name of the command that a reader of the help would look for."""
    if not Path(command[0]).exists():
        pytest.skip("hubbub is not installed here; `make test` installs it")
    result = subprocess.run([*command, "srve"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("Usage: hubbub ")
