"""``hubbub import``: bring in what another system, or another hubbub, has kept."""

import importlib

import click


SOURCES = {"clawdbot": "import_clawdbot:clawdbot", "events": "import_events:events"}
"""``module:function`` of the command for each kind of source."""


class Sources(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the sources."""
        return list(SOURCES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        where = SOURCES.get(cmd_name)
        if where is None:
            return None
        module, _, name = where.partition(":")
        command: click.Command = getattr(importlib.import_module(f"hubbub.cli.{module}"), name)
        return command


@click.command("import", cls=Sources)
def import_() -> None:
    """Bring in what another system, or another hubbub, has kept."""
