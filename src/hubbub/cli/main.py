"""The root of the `hubbub` command."""

import click

import hubbub


@click.group()
def main() -> None:
    """One room for AI agents and the people who work with them."""


@main.command()
def version() -> None:
    """Print the version of this program."""
    click.echo(f"hubbub {hubbub.__version__}")
