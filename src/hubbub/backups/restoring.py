"""Brings a backup back into a data directory in which no daemon runs.

Everything is unpacked and checked beside what is there. Only then do the files change places,
under a mark that keeps a daemon from starting on half of them, should this be interrupted.
What was there before is kept.
"""

import datetime as dt
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from hubbub.backups import archive
from hubbub.backups.archive import STORE
from hubbub.backups.making import sync
from hubbub.backups.ports import Progress, StoreCopies
from hubbub.core.values import Position
from hubbub.data_directory import RESTORING, DataDirectory
from hubbub.errors import HubbubError


CONFIG = "config.toml"
CONFIG_BESIDE = "config.toml.from-backup"
"""Name of the settings of a backup where there are others."""
LOGS = (f"{STORE}-wal", f"{STORE}-shm")
"""What belongs to one store's file and would spoil another's."""


class NotRestored(HubbubError):
    """A backup was not brought back; nothing has been changed."""

    code = "not_restored"


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was brought back."""

    data_dir: Path
    position: Position
    """Where the journal goes on: in a new epoch, after the newest event of the backup."""
    earlier: Position
    """The same place under the epoch that the backup had."""
    files: list[str]
    kept: Path | None
    """Folder with what was there before; ``None``: nothing was."""


def restore(
    file: Path,
    folder: Path,
    copies: StoreCopies,
    progress: Progress,
    *,
    now: dt.datetime,
    force: bool = False,
) -> Restored:
    """Bring a backup back.

    Args:
        file: A backup, or the file of a store.
        folder: The data directory; it is made if it is not there.
        now: Names the folder with what was there before.
        force: Replace a store that is there; it is kept beside the new one.

    Raises:
        StartError: A daemon uses the directory, or the backup is newer than this program.
        NotRestored: There is a store, and no ``force``.
        HubbubError: The backup is damaged.
        OSError: The disk is full, or a file cannot be read or written.
    """
    if not archive.is_store(file):
        archive.read_manifest(file)  # what is no backup must not even make a folder
    directory = DataDirectory(folder)
    directory.take(restoring=True)
    try:
        # A restore that was interrupted has kept what was there, and is finished by another.
        again = (folder / RESTORING).exists()
        if (folder / STORE).exists() and not (force or again):
            message = (
                f"there is a store in {folder}; restore into another --data-dir, or replace it "
                "with --force (it is kept beside the new one)"
            )
            raise NotRestored(message)
        directory.protect()
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=folder) as work:
            return _restore(file, directory, Path(work), copies, progress, now=now)
    finally:
        directory.free()


def _restore(
    file: Path,
    directory: DataDirectory,
    work: Path,
    copies: StoreCopies,
    progress: Progress,
    *,
    now: dt.datetime,
) -> Restored:
    folder = directory.path
    _unpack(file, work, copies, progress)
    progress("checking", 0, 1)
    earlier = copies.examine(work / STORE).position
    progress("checking", 1, 1)
    position = copies.begin_epoch(work / STORE)
    if (folder / CONFIG).exists() and (work / CONFIG).exists():
        # Settings are the user's own, and may be those of another machine.
        (work / CONFIG).rename(work / CONFIG_BESIDE)
    names = sorted(path.name for path in work.iterdir())
    for name in names:
        sync(work / name)
    directory.forget_listeners()
    directory.write(RESTORING, f"{file.absolute()}\n", mode=0o600)
    sync(folder)
    kept = _move_aside(folder, [*names, *LOGS], now)
    for name in names:
        (work / name).rename(folder / name)
    sync(folder)
    (folder / RESTORING).unlink()
    sync(folder)
    return Restored(data_dir=folder, position=position, earlier=earlier, files=names, kept=kept)


def _unpack(file: Path, work: Path, copies: StoreCopies, progress: Progress) -> None:
    if archive.is_store(file):
        (work / STORE).touch(mode=0o600)
        copies.copy(file, work / STORE, lambda done, of: progress("copying", done, of))
        return
    size = file.stat().st_size
    done = 0

    def unpacking(read: int) -> None:
        nonlocal done
        done = max(done, read)
        progress("unpacking", done, size)

    archive.unpack(file, work, unpacking)


def _move_aside(folder: Path, names: Iterable[str], now: dt.datetime) -> Path | None:
    """Move what would be replaced into a folder of its own; ``None``: there was nothing."""
    there = [folder / name for name in names if (folder / name).exists()]
    if not there:
        return None
    kept = Path(tempfile.mkdtemp(prefix=f"before-restore-{now:%Y%m%dT%H%M%S}-", dir=folder))
    for path in there:
        path.rename(kept / path.name)
    sync(kept)
    return kept
