"""The file of a backup: what is wrong with it is found, and nothing else is read from it."""

import io
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubbub.backups import archive
from hubbub.backups.archive import BadBackup, Manifest, Member
from hubbub.core.values import Position


CONTENT = b"store"


def ignore(_done: int) -> None:
    """Show no progress."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a folder to unpack into."""
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def manifest(tmp_path: Path, **files: Member) -> bytes:
    """Make the manifest of a backup of one file, and of others that are said to be there."""
    (tmp_path / "hubbub.db").write_bytes(CONTENT)
    store = archive.member_of(tmp_path / "hubbub.db", ignore)
    made = Manifest(
        version="0", made_at=1, schema=1, position=Position("e", 1), files={"hubbub.db": store}
    )
    return msgspec.json.encode({**msgspec.to_builtins(made), "files": {**made.files, **files}})


def pack(file: Path, members: dict[str, bytes], **links: str) -> Path:
    """Write a tar by hand."""
    with tarfile.open(file, "w") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        for name, target in links.items():
            entry = tarfile.TarInfo(name.replace("_", "."))
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return file


def test_backup_is_unpacked_as_it_was_written(tmp_path: Path, place: Path) -> None:
    """Each file readable by its owner alone."""
    made = msgspec.json.decode(manifest(tmp_path), type=Manifest)
    file = tmp_path / "b.tar"
    archive.write(file, made, {"hubbub.db": tmp_path / "hubbub.db"}, ignore)

    assert archive.read_manifest(file) == made
    assert archive.unpack(file, place, ignore) == made
    assert (place / "hubbub.db").read_bytes() == CONTENT
    assert (place / "hubbub.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("members", "links", "says"),
    [
        ({"other": b""}, {}, "there is no manifest.json in it"),
        ({"manifest.json": b"{"}, {}, "its manifest.json cannot be read"),
        ({"manifest.json": b"[]"}, {}, "its manifest.json cannot be read"),
        ({"manifest.json": b'{"format":1}'}, {}, "its manifest.json cannot be read"),
        ({"manifest.json": b'{"format":2}'}, {}, "has format 2, this program knows 1"),
        ({"manifest.json": None}, {}, "there is no hubbub.db in it"),
        ({"manifest.json": None}, {"hubbub_db": "/etc/passwd"}, "there is no hubbub.db in it"),
        ({"manifest.json": None, "hubbub.db": b"stori"}, {}, "hubbub.db is not what was saved"),
        ({"manifest.json": None, "hubbub.db": b"stor"}, {}, "hubbub.db is not what was saved"),
    ],
)
def test_what_is_wrong_is_found(
    tmp_path: Path, place: Path, members: dict[str, Any], links: dict[str, str], says: str
) -> None:
    """Each in words, with the name of the file."""
    good = manifest(tmp_path)
    contents = {name: good if content is None else content for name, content in members.items()}
    file = pack(tmp_path / "b.tar", contents, **links)

    with pytest.raises(BadBackup, match=says) as raised:
        archive.unpack(file, place, ignore)
    assert str(file) in str(raised.value)


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "lock", "restoring"])  # noqa: S108 a name that must be refused
def test_files_that_are_none_of_ours_are_refused(tmp_path: Path, place: Path, name: str) -> None:
    """A manifest cannot make us write elsewhere."""
    text = manifest(tmp_path, **{name: Member(0, "")})
    file = pack(tmp_path / "b.tar", {"manifest.json": text, "hubbub.db": CONTENT, name: b""})

    with pytest.raises(BadBackup, match="does not name what a backup holds"):
        archive.unpack(file, place, ignore)
    assert list(place.iterdir()) == []


def test_backup_that_ends_too_early_is_refused(tmp_path: Path, place: Path) -> None:
    """In the middle of a file, and right at its begin."""
    members = {"manifest.json": manifest(tmp_path), "hubbub.db": CONTENT}
    whole = pack(tmp_path / "b.tar", members).read_bytes()
    end = whole.index(CONTENT)

    for length in (end + 2, 600, 0):
        (tmp_path / "cut.tar").write_bytes(whole[:length])
        with pytest.raises(BadBackup, match=r"cut\.tar is"):
            archive.unpack(tmp_path / "cut.tar", place, ignore)
