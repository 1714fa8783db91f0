"""What the doctor finds in a data directory."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from hubbub.data_directory import DataDirectory
from hubbub.doctor.files import FREE_BYTES, look_at_files


@pytest.fixture
def files(tmp_path: Path) -> DataDirectory:
    """Give a data directory as a daemon leaves it."""
    files = DataDirectory(tmp_path / "data")
    files.take()
    files.operator_token()
    files.private("hubbub.db")
    files.free()
    return files


def open_directory(files: DataDirectory) -> None:
    """Let others look into the directory."""
    files.path.chmod(0o755)


def open_token(files: DataDirectory) -> None:
    """Let others read the token."""
    (files.path / "api-token").chmod(0o644)


def open_store(files: DataDirectory) -> None:
    """Let others read the store."""
    (files.path / "hubbub.db").chmod(0o640)


def kill(files: DataDirectory) -> None:
    """Leave what a killed daemon leaves."""
    files.write("listeners.json", json.dumps({"pid": 12, "hubbub": "http://127.0.0.1:1"}))


def interrupt_restore(files: DataDirectory) -> None:
    """Leave what an interrupted restore leaves."""
    files.write("restoring", "/b/backup.tar\n")


def test_directory_of_a_stopped_daemon_is_well(files: DataDirectory) -> None:
    """Nothing is wrong."""
    assert [found for found in look_at_files(files.path) if not found.ok] == []


@pytest.mark.parametrize(
    ("spoil", "what", "detail", "fix"),
    [
        (open_directory, "data directory", "mode 755", "chmod 700 {}"),
        (open_token, "api-token", "mode 644", "chmod 600 {}/api-token"),
        (open_store, "hubbub.db", "mode 640", "chmod 600 {}/hubbub.db"),
        (kill, "listeners.json", "(pid 12)", "hubbub serve --data-dir {}"),
        (interrupt_restore, "restore", "/b/backup.tar", "restore --data-dir {} /b/backup.tar"),
    ],
)
def test_what_is_wrong_is_found_with_its_next_step(
    files: DataDirectory,
    spoil: Callable[[DataDirectory], None],
    what: str,
    detail: str,
    fix: str,
) -> None:
    """One finding, and nothing else is wrong."""
    spoil(files)

    (found,) = [found for found in look_at_files(files.path) if not found.ok]

    assert found.what == what
    assert detail in found.detail
    assert fix.format(files.path) in found.fix


def test_addresses_of_a_daemon_that_runs_are_not_stale(files: DataDirectory) -> None:
    """The lock tells; a file without a pid is stale all the same."""
    files.write("listeners.json", "[]")
    (found,) = [found for found in look_at_files(files.path) if not found.ok]
    assert found.detail.endswith("was killed")

    files.take()

    assert all(found.ok for found in look_at_files(files.path))


def test_what_belongs_to_another_user_is_found(
    files: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could be replaced at will."""
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)

    whats = {found.what: found.fix for found in look_at_files(files.path) if not found.ok}

    assert whats["api-token"] == f"sudo chown {mine + 1} {files.path / 'api-token'}"


def test_full_disk_is_a_finding(files: DataDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little space is told with its size, and what to keep less of."""
    free = SimpleNamespace(free=FREE_BYTES - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: free)

    (disk,) = [found for found in look_at_files(files.path) if found.what == "disk"]

    assert (disk.ok, disk.detail) == (False, "255 MiB free")
    assert "store.retention_bytes" in disk.fix
