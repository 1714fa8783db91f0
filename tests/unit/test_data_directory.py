"""The data directory: one daemon at a time, secrets for its owner alone."""

import json
import os
import stat
from pathlib import Path

import pytest

from hubbub.data_directory import CERTIFICATE, SECRETS, DataDirectory
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


def test_what_others_could_read_is_taken_from_them(files: DataDirectory) -> None:
    """Directory and secrets get their modes back; what was mended is named, once."""
    token = files.operator_token()
    for name in SECRETS[1:]:
        (files.path / name).write_text("secret")
        (files.path / name).chmod(0o600)
    assert files.protect() == []
    wide = [files.path, files.path / "api-token", files.path / "hubbub.db"]
    for path in wide:
        path.chmod(0o755 if path.is_dir() else 0o640)

    assert files.protect() == [str(path) for path in wide]

    assert [mode(path) for path in wide] == [0o700, 0o600, 0o600]
    assert files.protect() == []
    assert files.operator_token() == token


@pytest.mark.parametrize("name", ["", "api-token", "agent.key"])
def test_what_belongs_to_another_user_is_refused(
    files: DataDirectory, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Its owner could read or replace it at will; the text says both ways out."""
    if name:
        (files.path / name).write_text("secret")
    stat_of = Path.stat

    def others(path: Path) -> os.stat_result:
        status = stat_of(path)
        if path != files.path / name:
            return status
        fields = list(status)
        fields[stat.ST_UID] = os.getuid() + 1
        return os.stat_result(fields)

    monkeypatch.setattr(Path, "stat", others)

    with pytest.raises(StartError, match=r"belongs to another user.*choose another"):
        files.protect()


def test_modes_that_cannot_be_mended_are_a_start_error(
    files: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text names the file and the system's reason."""
    files.path.chmod(0o755)

    def refuse(_path: Path, _mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)

    with pytest.raises(StartError, match=r"cannot protect .*: Operation not permitted"):
        files.protect()


def test_private_file_is_its_owners_from_the_beginning(files: DataDirectory) -> None:
    """What is in it already stays."""
    path = files.private("hubbub.db")
    assert mode(path) == 0o600
    path.write_text("kept")

    assert files.private("hubbub.db").read_text() == "kept"


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
    urls = {"hubbub": "http://127.0.0.1:1", "x0x": "https://127.0.0.1:2"}
    files.tell_listeners(urls, "a certificate")
    found = json.loads((files.path / "listeners.json").read_text())
    assert found == {
        "pid": os.getpid(),
        "hubbub": "http://127.0.0.1:1",
        "x0x": "https://127.0.0.1:2",
    }
    assert (files.path / CERTIFICATE).read_text() == "a certificate"
    assert (files.path / "api.port").read_text() == "127.0.0.1:2"

    files.forget_listeners()

    assert not (files.path / "listeners.json").exists()
    assert not (files.path / "api.port").exists()
    assert not (files.path / CERTIFICATE).exists()


def test_refused_daemon_does_not_remove_the_files_of_the_running_one(
    files: DataDirectory,
) -> None:
    """Only who holds the directory tidies up in it."""
    files.tell_listeners({"hubbub": "http://127.0.0.1:1"})

    DataDirectory(files.path).forget_listeners()

    assert (files.path / "listeners.json").exists()
    assert not (files.path / "api.port").exists()
