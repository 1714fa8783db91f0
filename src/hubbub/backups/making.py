"""Makes a backup of a data directory, whether its daemon runs or not.

The store is copied at one moment; the files beside it are made once and never changed, so
that they belong to any moment. All of it is written under another name, checked, brought to
the disk, and only then given the name that was asked for.
"""

import os
import tempfile
from pathlib import Path

import msgspec

from hubbub import __version__
from hubbub.backups import archive
from hubbub.backups.archive import FILES, STORE, Manifest
from hubbub.backups.ports import Progress, StoreCopies
from hubbub.core.values import Position
from hubbub.errors import HubbubError


class NoBackup(HubbubError):
    """A backup cannot be made here; nothing has been written."""

    code = "no_backup"


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was made."""

    file: Path
    bytes: int
    made_at: int
    """Unix time in milliseconds."""
    schema: int
    position: Position
    """The newest event in it."""
    files: list[str]


def back_up(
    folder: Path,
    target: Path,
    copies: StoreCopies,
    progress: Progress,
    *,
    made_at: int,
    force: bool = False,
) -> Backup:
    """Make a backup of a data directory.

    Args:
        folder: The data directory.
        target: File to be written, mode 0600.
        made_at: Now, in Unix milliseconds.
        force: Replace a file that is there.

    Raises:
        NoBackup: There is no store, or a file under this name.
        StartError: The store is newer than this program.
        HubbubError: The store is damaged.
        OSError: The disk is full, or the place cannot be written to.
    """
    if not (folder / STORE).exists():
        message = (
            f"there is no store in {folder}; name the data directory with --data-dir "
            "(a daemon with --ephemeral or --demo keeps none)"
        )
        raise NoBackup(message)
    _refuse_existing(target, force=force)
    if not target.absolute().parent.is_dir():
        message = f"there is no folder {target.absolute().parent}; make it first"
        raise NoBackup(message)
    with tempfile.TemporaryDirectory(
        prefix=".hubbub-backup-", dir=target.absolute().parent
    ) as work:
        made = _make(folder, Path(work), copies, progress, made_at)
        packed = Path(work) / "packed"
        size = packed.stat().st_size
        _refuse_existing(target, force=force)
        packed.replace(target)
    sync(target.absolute().parent)
    return Backup(
        file=target,
        bytes=size,
        made_at=made_at,
        schema=made.schema,
        position=made.position,
        files=list(made.files),
    )


def _make(
    folder: Path, work: Path, copies: StoreCopies, progress: Progress, made_at: int
) -> Manifest:
    """Write a backup into a folder of our own, as ``packed``."""
    store = work / STORE
    copies.copy(folder / STORE, store, lambda done, of: progress("copying", done, of))
    progress("checking", 0, 1)
    # Of the copy, not of the original: what is kept is what must be whole.
    facts = copies.examine(store)
    progress("checking", 1, 1)
    files = {STORE: store}
    files |= {name: folder / name for name in FILES if (folder / name).is_file()}
    total = 2 * sum(path.stat().st_size for path in files.values())
    done = 0

    def packing(read: int) -> None:
        progress("packing", done + read, total)

    members = {}
    for name, path in files.items():
        members[name] = archive.member_of(path, packing)
        done += members[name].size
    manifest = Manifest(
        version=__version__,
        made_at=made_at,
        schema=facts.schema,
        position=facts.position,
        files=members,
    )
    packed = work / "packed"
    packed.touch(mode=0o600)
    archive.write(packed, manifest, files, packing)
    progress("packing", total, total)
    sync(packed)
    return manifest


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_existing(target: Path, *, force: bool) -> None:
    if target.is_dir():
        message = f"{target} is a folder; name a file in it"
        raise NoBackup(message)
    if target.exists() and not force:
        message = f"{target} is there already; choose another name, or replace it with --force"
        raise NoBackup(message)
