"""Options that every command has."""

from pathlib import Path

import click


data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Data directory of the daemon; it tells the commands where the daemon listens.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
