"""``hubbub export``: the journal as JSON lines."""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from hubbub.cli import options, output, running
from hubbub.cli.event_lines import Header
from hubbub.core.values import Position


PAGE_EVENTS = 500
"""Events asked for at a time; fewer where the daemon's `max_read_events` is lower."""


class Page(msgspec.Struct, frozen=True):
    """A page of the journal, its events as they are."""

    events: list[msgspec.Raw]
    position: Position
    more: bool
    recovered: bool = True


class Place(msgspec.Struct, frozen=True):
    """Where an event stands."""

    seq: int


class Exported(msgspec.Struct, kw_only=True):
    """What an export did."""

    file: str
    events: int = 0
    position: Position
    complete: bool = True
    """False: events that were asked for are kept no longer."""


@click.command()
@click.argument("file", default="-", type=click.Path(allow_dash=True))
@click.option(
    "--topics",
    default="*",
    show_default=True,
    metavar="TOPICS",
    help="Names and `prefix/*`, separated by commas.",
)
@click.option("--after", metavar="CURSOR", help="Begin after this event (its `cursor`).")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@options.daemon
@options.as_json
def export(
    file: str,
    *,
    topics: str,
    after: str | None,
    force: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Write the stored events to FILE (`-`: standard output), one JSON object a line.

    The first line says what the file is and how far the journal was. `hubbub import events`
    publishes again what clients have published; `hubbub backup` saves all that a daemon holds.
    """
    daemon = running.find(data_dir)
    position = msgspec.convert(daemon.call("system.ping")["position"], Position)
    wanted = [topic for part in topics.split(",") if (topic := part.strip())]
    header = Header(
        position=position,
        topics=wanted,
        after=after,
        exported_at=time.time_ns() // 1_000_000,
    )
    done = Exported(file=file, position=position)
    with _written(file, force=force) as out:
        write_events(daemon, header, done, out)
    if as_json and file != "-":
        output.write_json(done)
    else:
        click.echo(f"{done.events} events up to {position.cursor()}", err=True)
    if not done.complete:
        click.echo("hubbub: older events than these are kept no longer", err=True)


def write_events(daemon: running.Running, header: Header, done: Exported, out: BinaryIO) -> None:
    """Write the header and the events up to its position; counts them in ``done``."""
    from hubbub.cli.progress import count_progress

    out.write(msgspec.json.encode(header) + b"\n")
    # Only for the bar: the daemon judges what the cursor is worth.
    begin = (header.after or "").rpartition(":")[2]
    first = int(begin) if begin.isdecimal() else 0
    with count_progress() as progress:
        task = progress.add_task("exporting", total=max(header.position.seq - first, 0))
        for page in _pages(daemon, header):
            done.complete &= page.recovered
            for event in page.events:
                if _seq(event) > header.position.seq:
                    break
                out.write(bytes(event) + b"\n")
                done.events += 1
            progress.update(task, completed=min(page.position.seq, header.position.seq) - first)


def _pages(daemon: running.Running, header: Header) -> Iterator[Page]:
    """Read page after page, as large as the daemon gives them, up to the header's position."""
    after: object = header.after
    limit = PAGE_EVENTS
    while True:
        params = {"topics": header.topics, "after": after, "limit": limit}
        try:
            page = msgspec.json.decode(daemon.raw("journal.read", params), type=Page)
        except running.Refused as error:
            if limit == 1 or not error.message.startswith("limit "):
                raise
            limit //= 2
            continue
        yield page
        if not page.more or page.position.seq >= header.position.seq:
            return
        after = page.position


def _seq(event: msgspec.Raw) -> int:
    return msgspec.json.decode(event, type=Place).seq


@contextlib.contextmanager
def _written(file: str, *, force: bool) -> Iterator[BinaryIO]:
    """Open what is written to; a file gets its name only when it is whole.

    Raises:
        Failed: The file is there, and no ``force``; or it cannot be written.
    """
    if file == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(file)
    if target.is_dir() or (target.exists() and not force):
        message = f"{target} is there already; choose another name, or replace it with --force"
        raise running.Failed(message)
    try:
        descriptor, name = tempfile.mkstemp(prefix=".hubbub-export-", dir=target.absolute().parent)
    except OSError as error:
        message = f"cannot write {target}: {error.strerror}"
        raise running.Failed(message) from None
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
