"""``hubbub tail``: follow events, and go on after a reconnect where it left off."""

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubbub.cli import options, output, running


if TYPE_CHECKING:
    from hubbub.client import Event, Resumed


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
    show = _JsonLines() if as_json else _Lines()
    with running.told(), daemon.client(on_lost=show.lost) as client, suppress(KeyboardInterrupt):
        if from_start:
            after = f"{client.system.ping().position.epoch}:0"
        events = client.topics.follow(*topics, after=after, on_resumed=show.resumed)
        for number, event in enumerate(events, 1):
            show.event(event)
            if number == count:
                break


class _Lines:
    """Shows events as coloured lines."""

    def __init__(self) -> None:
        """Write to standard output, and news of the connection to standard error."""
        self._console = output.console()
        self._is_lost = False

    def event(self, event: "Event") -> None:
        """Show one event: time, topic, kind, who, data."""
        from rich.text import Text

        at = time.localtime(event.at / 1000)
        line = Text(time.strftime("%H:%M:%S", at), style="dim")
        shown = ((event.topic, "cyan"), (event.kind, "green"), (event.actor, "magenta"))
        for text, style in shown:
            line.append("  ").append(text, style=style)
        line.append("  ").append(bytes(event.raw).decode())
        self._console.print(line)

    def resumed(self, resumed: "Resumed") -> None:
        """Say whether anything was missed."""
        if not resumed.recovered:
            click.echo(f"hubbub: earlier events are gone ({resumed.reason})", err=True)
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

    def event(self, event: "Event") -> None:
        """Write one event, with the cursor that `--after` takes."""
        names = ("seq", "id", "topic", "kind", "actor", "at")
        fields = {name: getattr(event, name) for name in names}
        more = {"data": event.raw, "cause": event.cause, "cursor": event.cursor}
        output.write_json({**fields, **more})
