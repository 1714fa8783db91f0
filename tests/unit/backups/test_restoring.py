"""A restore that is interrupted at any step leaves nothing that a daemon would take for whole."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from hubbub.backups.making import back_up
from hubbub.backups.restoring import restore
from hubbub.core.journal import Journal
from hubbub.data_directory import DataDirectory
from hubbub.errors import StartError
from hubbub.storage.copies import SqliteCopies
from hubbub.storage.sqlite import SqliteStore


NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
RENAMES = 9
"""Files that change places: the old store, its log and its secrets go, the new ones come."""


class Interrupted(BaseException):
    """The machine has lost its power."""


def ignore(_stage: str, _done: int, _of: int) -> None:
    """Show no progress."""


@pytest.fixture
async def place(journal: Journal, store: SqliteStore, store_path: Path) -> Path:
    """Give a data directory with one event, and its backup."""
    await journal.commit(lambda tx: tx.append("t", "k", 1, actor="a"))
    files = DataDirectory(store_path.parent)
    for name in ("api-token", "host-token", "agent.key"):
        files.secret(name)
    copies = SqliteCopies()
    back_up(files.path, files.path.parent / f"{files.path.name}.tar", copies, ignore, made_at=1)
    await journal.commit(lambda tx: tx.append("t", "k", 2, actor="a"))
    store.close()
    (files.path / "hubbub.db-wal").write_bytes(b"an old log")
    return files.path


def again(place: Path, **options: Any) -> int:
    """Bring the backup back; gives the newest event."""
    file = place.parent / f"{place.name}.tar"
    return restore(file, place, SqliteCopies(), ignore, now=NOW, **options).position.seq


def kept(place: Path) -> list[bytes]:
    """Give the stores that were replaced."""
    return [path.read_bytes() for path in place.glob("before-restore-*/hubbub.db")]


@pytest.mark.parametrize("step", range(RENAMES))
async def test_interrupted_restore_is_finished_by_another(
    place: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The daemon does not start on half of it, and what was there before is not lost."""
    before = (place / "hubbub.db").read_bytes()
    done = 0
    rename = Path.rename

    def interrupt(path: Path, target: Path) -> Path:
        nonlocal done
        if done == step:
            raise Interrupted
        done += 1
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", interrupt)
        with pytest.raises(Interrupted):
            again(place, force=True)

    with pytest.raises(StartError, match="was interrupted"):
        DataDirectory(place).take()
    assert again(place) == 1
    DataDirectory(place).take()
    assert before in kept(place)
    assert not (place / "hubbub.db-wal").exists()


async def test_restore_moves_so_many_files(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above interrupts every one of them."""
    moved: list[str] = []
    rename = Path.rename

    def note(path: Path, target: Path) -> Path:
        moved.append(path.name)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", note)
    again(place, force=True)

    assert len(moved) == RENAMES
