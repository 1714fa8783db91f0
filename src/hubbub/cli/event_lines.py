"""The file of ``hubbub export``: JSON lines, first what it is, then one event in each."""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from hubbub.cli.running import Failed
from hubbub.core.values import Position


FORMAT = "hubbub-events"
VERSION = 1


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line."""

    format: str = FORMAT
    version: int = VERSION
    position: Position
    """Where the journal was: no event after it is in the file."""
    topics: list[str]
    after: str | None = None
    """Cursor after which the file begins; none: with the oldest event that was kept."""
    exported_at: int
    """Unix time in milliseconds."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An event, as far as publishing it again needs it."""

    id: str
    topic: str
    kind: str
    data: msgspec.Raw


def read_header(file: BinaryIO, name: str) -> Header:
    """Read the first line.

    Raises:
        Failed: The file was not written by ``hubbub export``, or by a newer one.
    """
    try:
        header = msgspec.json.decode(file.readline(), type=Header)
    except (msgspec.DecodeError, UnicodeError):
        header = None
    if header is None or header.format != FORMAT:
        message = f"{name} does not begin as `hubbub export` begins a file"
        raise Failed(message)
    if header.version != VERSION:
        message = f"{name} has version {header.version}, this program knows {VERSION}; use a newer"
        raise Failed(message)
    return header


def read_lines(file: BinaryIO) -> Iterator[tuple[int, Line | None]]:
    """Give the length of each further line with its event; ``None``: it cannot be read."""
    for line in file:
        try:
            yield len(line), msgspec.json.decode(line, type=Line)
        except (msgspec.DecodeError, UnicodeError):
            yield len(line), None
