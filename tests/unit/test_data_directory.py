"""The data directory: one daemon at a time, secrets for its owner alone."""

import json
import os
import stat
from pathlib import Path

import pytest

from hubbub.data_directory import DataDirectory
from hubbub.errors import StartError


@pytest.fixture
def files(tmp_path: Path) -> DataDirectory:
    """Give a directory that is taken."""
    files = DataDirectory(tmp_path / "a" / "data")
    files.take()
    return files


def mode(path: Path) -> int:
    """Give the permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_directory_is_made_for_its_owner_alone(files: DataDirectory) -> None:
    """Others may not even list it."""
    assert mode(files.path) == 0o700


def test_second_daemon_is_refused_until_the_first_frees_the_directory(
    files: DataDirectory,
) -> None:
    """The refusal names the directory and the way out."""
    second = DataDirectory(files.path)
    with pytest.raises(StartError, match="choose another with --data-dir"):
        second.take()
    assert second.is_taken()

    files.free()

    assert not second.is_taken()
    second.take()


def test_directory_that_cannot_be_made_is_a_start_error(tmp_path: Path) -> None:
    """The text names the directory and the system's reason."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StartError, match="Not a directory"):
        DataDirectory(tmp_path / "file" / "data").take()


def test_secret_is_made_once_and_kept(files: DataDirectory) -> None:
    """64 hex characters, readable by the owner; the next start finds the same."""
    token = files.operator_token()

    assert len(token) == 64
    assert mode(files.path / "api-token") == 0o600
    assert DataDirectory(files.path).operator_token() == token


@pytest.mark.parametrize("text", ["", "short\n"])
def test_broken_secret_is_replaced(files: DataDirectory, text: str) -> None:
    """A file that an interrupted start left behind does not stay for ever."""
    (files.path / "api-token").write_text(text)

    assert len(files.operator_token()) == 64


def test_listeners_are_told_and_forgotten(files: DataDirectory) -> None:
    """What is bound stands there while it is; x0x's own file too."""
    files.tell_listeners({"hubbub": "127.0.0.1:1", "x0x": "127.0.0.1:2"})
    found = json.loads((files.path / "listeners.json").read_text())
    assert found == {
        "pid": os.getpid(),
        "hubbub": "http://127.0.0.1:1",
        "x0x": "http://127.0.0.1:2",
    }
    assert (files.path / "api.port").read_text() == "127.0.0.1:2"

    files.forget_listeners()

    assert not (files.path / "listeners.json").exists()
    assert not (files.path / "api.port").exists()


def test_refused_daemon_does_not_remove_the_files_of_the_running_one(
    files: DataDirectory,
) -> None:
    """Only who holds the directory tidies up in it."""
    files.tell_listeners({"hubbub": "127.0.0.1:1"})

    DataDirectory(files.path).forget_listeners()

    assert (files.path / "listeners.json").exists()
    assert not (files.path / "api.port").exists()
