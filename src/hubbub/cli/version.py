"""``hubbub version``."""

import click

from hubbub import __version__
from hubbub.cli import options, output


@click.command()
@options.as_json
def version(*, as_json: bool) -> None:
    """Show the version of this program."""
    if as_json:
        output.write_json({"version": __version__})
    else:
        click.echo(f"hubbub {__version__}")
