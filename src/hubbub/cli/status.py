"""``hubbub status``: what is bound, who is here."""

import time
from pathlib import Path

import click

from hubbub.cli import options, output, running


@click.command()
@options.daemon
@options.as_json
def status(data_dir: Path | None, *, as_json: bool) -> None:
    """Show the running daemon: addresses, readiness, agents."""
    daemon = running.find(data_dir)
    found = daemon.call("system.status")
    if as_json:
        output.write_json({"pid": daemon.pid, "data_dir": daemon.folder, **found})
        return
    now = time.time_ns() // 1_000_000
    up = output.ago(now - found["started_at"])
    click.echo(f"hubbub {found['version']}, pid {daemon.pid}, up {up}, data in {daemon.folder}")
    ready = "yes" if found["ready"] else "no: " + "; ".join(found["reasons"])
    click.echo(f"ready: {ready}")
    click.echo(f"journal: event {found['position']['seq']}")
    lagging = f", {found['lagging']} of them behind" if found["lagging"] else ""
    click.echo(f"subscriptions: {found['subscribers']}{lagging}\n")
    rows = list(found["listeners"].items())
    output.write_table(("door", "address"), rows)
    if found["agents"]:
        click.echo()
        _agents(found["agents"], now)


def _agents(agents: list[dict[str, object]], now: int) -> None:
    rows = []
    for agent in agents:
        doors = agent["doors"]
        heard = agent["last_heartbeat"]
        through = ", ".join(doors) if isinstance(doors, list) else ""
        since = output.ago(now - heard) if isinstance(heard, int) and heard else "-"
        rows.append((agent["agent"], agent["status"], through, since))
    output.write_table(("agent", "status", "through", "last heard"), rows)
