"""``hubbub tail``: follow events, and go on after a reconnect where it left off."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import msgspec

from hubbub.cli import options, output, running


RETRY_S = 0.5
"""Seconds between two attempts to reach a daemon that went away."""
SILENCE_S = 60.0
"""Seconds without a byte after which the connection counts as dead; hubbub sends a comment
more often."""


class ServerSent(msgspec.Struct, frozen=True):
    """One server-sent event."""

    kind: str
    data: bytes
    cursor: str | None


@click.command()
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--after", metavar="CURSOR", help="Begin after this event (its `cursor` in --json).")
@click.option("--all", "from_start", is_flag=True, help="Begin with the oldest event kept.")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after N events.")
@options.daemon
@options.as_json
def tail(
    topics: tuple[str, ...],
    *,
    after: str | None,
    from_start: bool,
    count: int | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Follow the events of TOPICs (a name, `prefix/*`, or nothing for all) until Ctrl-C."""
    daemon = running.find(data_dir)
    if from_start:
        epoch = daemon.call("system.ping")["position"]["epoch"]
        after = f"{epoch}:0"
    show = _JsonLines() if as_json else _Lines()
    events = follow(daemon, topics, after, data_dir, show)
    try:
        for number, event in enumerate(events, 1):
            show.event(event)
            if number == count:
                break
    except KeyboardInterrupt:
        return


def follow(
    daemon: running.Running,
    topics: tuple[str, ...],
    after: str | None,
    data_dir: Path | None,
    show: "_Lines",
) -> Iterator[ServerSent]:
    """Give events for ever; where the connection ends, find the daemon again and resume.

    Raises:
        Refused: The daemon does not want us: a wrong cursor, a token that was revoked.
    """
    while True:
        try:
            for event in _stream(daemon, topics, after):
                if event.kind == "hubbub.resumed":
                    resumed = msgspec.json.decode(event.data)
                    position = resumed["position"]
                    after = f"{position['epoch']}:{position['seq']}"
                    show.resumed(resumed)
                    continue
                after = event.cursor or after
                yield event
            show.lost(f"the daemon at {daemon.url} has closed the connection")
        except running.Unreachable as error:
            if after is None:
                raise
            show.lost(error.message)
        time.sleep(RETRY_S)
        daemon = _found_again(daemon, data_dir)


def _found_again(daemon: running.Running, data_dir: Path | None) -> running.Running:
    """Read the daemon's files again: it may have come back on another port."""
    try:
        return running.find(data_dir)
    except running.Unreachable:
        return daemon


def _stream(
    daemon: running.Running, topics: tuple[str, ...], after: str | None
) -> Iterator[ServerSent]:
    query = {"topics": ",".join(topics)} if topics else {}
    headers = {"Accept": "text/event-stream"}
    if after is not None:
        headers["Last-Event-ID"] = after
    with daemon.request(
        "GET", f"/events?{urlencode(query)}", headers=headers, timeout_s=SILENCE_S
    ) as answer:
        if answer.status != 200:  # noqa: PLR2004 the status of every stream
            _refused(answer.read())
        yield from parse(iter(answer.readline, b""))


def _refused(body: bytes) -> None:
    error: dict[str, Any] = msgspec.json.decode(body)["error"]
    raise running.Refused(error["message"], error["code"])


def parse(lines: Iterator[bytes]) -> Iterator[ServerSent]:
    """Read server-sent events, as the HTML standard has them, as far as hubbub sends them."""
    kind, cursor, data = "message", None, b""
    for line in lines:
        name, _, value = line.rstrip(b"\n").partition(b": ")
        if name == b"event":
            kind = value.decode()
        elif name == b"id":
            cursor = value.decode()
        elif name == b"data":
            data = value
        elif not line.strip() and data:
            yield ServerSent(kind, data, cursor)
            kind, cursor, data = "message", None, b""


class _Lines:
    """Shows events as coloured lines."""

    def __init__(self) -> None:
        """Write to standard output, and news of the connection to standard error."""
        self._console = output.console()
        self._is_lost = False

    def event(self, sent: ServerSent) -> None:
        """Show one event: time, topic, kind, who, data."""
        from rich.text import Text

        event = msgspec.json.decode(sent.data, type=dict[str, msgspec.Raw])
        at = msgspec.json.decode(event["at"], type=int) / 1000
        line = Text(time.strftime("%H:%M:%S", time.localtime(at)), style="dim")
        for name, style in (("topic", "cyan"), ("kind", "green"), ("actor", "magenta")):
            line.append("  ").append(msgspec.json.decode(event[name], type=str), style=style)
        line.append("  ").append(bytes(event["data"]).decode())
        self._console.print(line)

    def resumed(self, resumed: dict[str, Any]) -> None:
        """Say whether anything was missed."""
        if not resumed["recovered"]:
            click.echo(f"hubbub: earlier events are gone ({resumed['reason']})", err=True)
        elif self._is_lost:
            click.echo("hubbub: connected again; nothing was missed", err=True)
        self._is_lost = False

    def lost(self, why: str) -> None:
        """Say once that the daemon went away."""
        if not self._is_lost:
            click.echo(f"hubbub: {why}; waiting for it", err=True)
        self._is_lost = True


class _JsonLines(_Lines):
    """Shows events as they came, one JSON object a line."""

    def event(self, sent: ServerSent) -> None:
        """Write one event, with the cursor that `--after` takes."""
        event = msgspec.json.decode(sent.data, type=dict[str, msgspec.Raw])
        cursor = msgspec.Raw(msgspec.json.encode(sent.cursor))
        output.write_json({**event, "cursor": cursor})
