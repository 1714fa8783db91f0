"""``hubbub import events``: publish again what `hubbub export` has written.

Each event goes under an idempotency key made of its id: however often a file is imported, and
wherever an import was interrupted, an event is published once.
"""

import contextlib
import os
import stat
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from hubbub.cli import options, output
from hubbub.cli.event_lines import Line, read_header, read_lines
from hubbub.cli.progress import bytes_progress
from hubbub.cli.running import Failed, Refused, Running, find
from hubbub.core.topics import RESERVED


class Result(msgspec.Struct, kw_only=True):
    """What an import did."""

    events: int = 0
    """Events in the file."""
    published: int = 0
    present: int = 0
    """Events that an earlier import has published."""
    skipped: Counter[str] = msgspec.field(default_factory=Counter)
    """Events of the daemon's own services, by the beginning of their topics."""
    unreadable: int = 0
    """Lines that are no events."""
    refused: Counter[str] = msgspec.field(default_factory=Counter)
    """Events that the daemon did not take, by its reason."""


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--again", is_flag=True, help="Also into the journal that the events come from.")
@options.daemon
@options.as_json
def events(file: str, data_dir: Path | None, *, again: bool, as_json: bool) -> None:
    """Publish the events of FILE (`-`: standard input), as `hubbub export` wrote it, again.

    Only what clients have published can be: events of issues, runs and the like are the daemon's
    own and are passed over; `hubbub backup` and `restore` bring over everything.
    """
    daemon = find(data_dir)
    with _opened(file) as (opened, size):
        header = read_header(opened, file)
        here = daemon.call("system.ping")["position"]
        if header.position.epoch == here["epoch"] and not again:
            message = (
                f"{file} comes from this very journal: its events are here, and would be here "
                "twice; --again publishes them all the same"
            )
            raise Failed(message)
        result = _publish(daemon, opened, size, here["seq"])
    if as_json:
        output.write_json(result)
    else:
        _show(result)
    if result.refused or result.unreadable:
        message = "not everything could be published; the same command tries it again"
        raise Failed(message)


def _publish(daemon: Running, file: BinaryIO, size: int | None, newest: int) -> Result:
    """Publish the rest of a file.

    Args:
        size: Bytes of the whole file, if known.
        newest: ``seq`` of the journal's newest event before this.
    """
    result = Result()
    with bytes_progress() as progress:
        task = progress.add_task("importing", total=size)
        for length, line in read_lines(file):
            progress.advance(task, length)
            if line is None:
                result.unreadable += 1
                continue
            result.events += 1
            own = next((prefix for prefix in RESERVED if line.topic.startswith(prefix)), None)
            if own is not None:
                result.skipped[own] += 1
                continue
            try:
                seq = _send(daemon, line)["position"]["seq"]
            except Refused as error:
                result.refused[f"{error.code}: {error.message}"] += 1
                continue
            if seq > newest:
                result.published += 1
            else:
                result.present += 1
    return result


def _send(daemon: Running, line: Line) -> Any:
    """Publish one event; where the daemon asks for patience, the client has some."""
    params = {
        "topic": line.topic,
        "kind": line.kind,
        "data": line.data,
        "idempotency_key": f"import:{line.id}",
        "cause": line.id,
    }
    return daemon.call("topics.publish", params)


def _show(result: Result) -> None:
    click.echo(f"published: {result.published} of {result.events} events")
    if result.present:
        click.echo(f"published by an earlier import: {result.present}")
    if result.skipped:
        kinds = ", ".join(f"{topic}* {count}" for topic, count in sorted(result.skipped.items()))
        click.echo(f"passed over, because only the daemon itself writes there: {kinds}")
    if result.unreadable:
        click.echo(f"lines that could not be read: {result.unreadable}", err=True)
    for reason, count in result.refused.most_common(10):
        click.echo(f"refused {count}: {reason}", err=True)


@contextlib.contextmanager
def _opened(file: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """Open what is read, and give its size where it has one."""
    if file == "-":
        yield sys.stdin.buffer, None
        return
    with Path(file).open("rb") as opened:
        status = os.fstat(opened.fileno())
        yield opened, status.st_size if stat.S_ISREG(status.st_mode) else None
