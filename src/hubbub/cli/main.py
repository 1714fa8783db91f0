"""The root command."""

import os
import sys
from pathlib import Path

import click

from hubbub import __version__
from hubbub.cli.x0xd import x0xd
from hubbub.config import LISTENERS, Settings
from hubbub.errors import StartError


EXIT_START = 3


@click.group()
@click.version_option(__version__, prog_name="hubbub")
def main() -> None:
    """Hubbub: one room for AI agents and the people who work with them."""


@main.command()
@click.option("--data-dir", type=click.Path(path_type=Path))
@click.option("--config", type=click.Path(path_type=Path))
@click.option("--listen", multiple=True, metavar="NAME=HOST:PORT")
@click.option("--ephemeral", is_flag=True)
def serve(
    data_dir: Path | None, config: Path | None, listen: tuple[str, ...], ephemeral: bool
) -> None:
    """Run the daemon."""
    from hubbub.app import Daemon, run
    from hubbub.telemetry import set_up_logging

    set_up_logging()
    asked = dict(item.split("=", 1) for item in listen)
    options = {} if data_dir is None else {"data_dir": data_dir}
    settings = Settings(
        listen={**LISTENERS, **asked},
        explicit=frozenset(asked),
        ephemeral=ephemeral,
        crash_at=os.environ.get("HUBBUB_CRASH_AT", ""),
        **options,
    )

    def ready(daemon: Daemon) -> None:
        for name, listener in daemon.listeners.items():
            click.echo(f"{name:10} http://{listener.address}")

    try:
        run(settings, ready)
    except StartError as error:
        click.echo(f"hubbub: {error}", err=True)
        sys.exit(EXIT_START)


main.add_command(x0xd)
