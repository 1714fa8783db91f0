"""The file of a backup: a tar with a manifest, the store and the files that belong to it.

Any ``tar`` unpacks it. Only members that the manifest names, under names that we know, are
ever read from it, each into a place that we choose.
"""

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

import msgspec

from hubbub.core.values import Position
from hubbub.errors import HubbubError


FORMAT = 1
"""Version of the manifest and of what stands beside it."""
MANIFEST = "manifest.json"
STORE = "hubbub.db"
FILES = ("api-token", "host-token", "agent.key", "config.toml")
"""What of a data directory belongs to its store: who opens it, who it is, how it is set."""
BLOCK_BYTES = 1024 * 1024
MAX_MANIFEST_BYTES = 64 * 1024


class BadBackup(HubbubError):
    """This is no backup, or a damaged one."""

    code = "bad_backup"


class Member(msgspec.Struct, frozen=True):
    """One file in a backup."""

    size: int
    """Bytes."""
    sha256: str
    """Hex."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    format: int = FORMAT
    version: str
    """Of the program that made it."""
    made_at: int
    """Unix time in milliseconds."""
    schema: int
    """Version of the store's schema."""
    position: Position
    """The newest event in it."""
    files: dict[str, Member]


def member_of(path: Path, progress: Callable[[int], None]) -> Member:
    """Measure a file; tells how many bytes it has read so far."""
    with path.open("rb") as file:
        return Member(path.stat().st_size, _digest(file, progress))


def write(
    target: Path, manifest: Manifest, files: Mapping[str, Path], progress: Callable[[int], None]
) -> None:
    """Write a backup into a file that is there already, with the mode that it is to have."""
    with target.open("wb") as raw, tarfile.open(fileobj=raw, mode="w") as tar:
        text = msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"
        tar.addfile(_entry(MANIFEST, len(text), manifest.made_at), io.BytesIO(text))
        for name, path in files.items():
            with path.open("rb") as file:
                size = manifest.files[name].size
                tar.addfile(_entry(name, size, manifest.made_at), _Counted(file, progress))


def read_manifest(file: Path) -> Manifest:
    """Read what a backup holds.

    Raises:
        BadBackup: This is no backup, or one of a later format.
    """
    with _opened(file) as tar:
        return _manifest(tar, file)


def unpack(file: Path, folder: Path, progress: Callable[[int], None]) -> Manifest:
    """Lay the files of a backup into a folder, readable by their owner alone, and check them.

    Raises:
        BadBackup: Something in it is damaged, or missing.
    """
    with _opened(file) as tar:
        manifest = _manifest(tar, file)
        for name, wanted in manifest.files.items():
            source = _member(tar, name, file)
            target = folder / name
            target.touch(mode=0o600)
            hashing = hashlib.sha256()
            with target.open("wb") as opened:
                for block in _blocks(source, progress):
                    hashing.update(block)
                    opened.write(block)
            if Member(target.stat().st_size, hashing.hexdigest()) != wanted:
                message = f"{file} is damaged: {name} is not what was saved; take another backup"
                raise BadBackup(message)
    return manifest


def is_store(file: Path) -> bool:
    """Say whether this is no archive but a store's file, as the one kept before a migration."""
    with file.open("rb") as opened:
        return opened.read(16) == b"SQLite format 3\0"


def _manifest(tar: tarfile.TarFile, file: Path) -> Manifest:
    text = _member(tar, MANIFEST, file).read(MAX_MANIFEST_BYTES)
    try:
        made = msgspec.json.decode(text)["format"]
        manifest = msgspec.json.decode(text, type=Manifest) if made == FORMAT else None
    except (msgspec.DecodeError, TypeError, KeyError):
        message = f"{file} is damaged: its {MANIFEST} cannot be read"
        raise BadBackup(message) from None
    if manifest is None:
        message = (
            f"{file} has format {made}, this program knows {FORMAT}; restore it with a newer hubbub"
        )
        raise BadBackup(message)
    if STORE not in manifest.files or not {*manifest.files} <= {STORE, *FILES}:
        message = f"{file} is damaged: its {MANIFEST} does not name what a backup holds"
        raise BadBackup(message)
    return manifest


def _member(tar: tarfile.TarFile, name: str, file: Path) -> IO[bytes]:
    try:
        found = tar.getmember(name)
    except KeyError:
        found = None
    opened = tar.extractfile(found) if found is not None and found.isreg() else None
    if opened is None:
        message = f"{file} is no backup of hubbub: there is no {name} in it"
        raise BadBackup(message)
    return opened


class _Counted:
    """A file that tells how much of it has been read."""

    def __init__(self, file: IO[bytes], progress: Callable[[int], None]) -> None:
        self._file = file
        self._progress = progress
        self._done = 0

    def read(self, size: int = -1, /) -> bytes:
        """Read so many bytes at most."""
        block = self._file.read(size)
        self._done += len(block)
        self._progress(self._done)
        return block


class _opened:  # noqa: N801 used like a function
    """Open an archive; what is wrong with it becomes a ``BadBackup``."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> tarfile.TarFile:
        try:
            self._tar = tarfile.open(self._file, "r:")
        except (tarfile.TarError, EOFError) as error:
            raise self._bad(error) from None
        return self._tar

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._tar.close()
        if isinstance(error, tarfile.TarError | EOFError):
            raise self._bad(error) from None

    def _bad(self, error: Exception) -> BadBackup:
        return BadBackup(f"{self._file} is no backup of hubbub, or a damaged one: {error}")


def _entry(name: str, size: int, made_at: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, made_at // 1000
    return entry


def _blocks(file: IO[bytes], progress: Callable[[int], None]) -> Iterator[bytes]:
    counted = _Counted(file, progress)
    while block := counted.read(BLOCK_BYTES):
        yield block


def _digest(file: IO[bytes], progress: Callable[[int], None]) -> str:
    hashing = hashlib.sha256()
    for block in _blocks(file, progress):
        hashing.update(block)
    return hashing.hexdigest()
