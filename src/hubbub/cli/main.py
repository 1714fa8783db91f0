"""The root command: finds the others by name and imports only the one that runs."""

import importlib
import os
import sys

import click

from hubbub import __version__


EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_START = 3
EXIT_INTERRUPTED = 130
"""As shells have it for Ctrl-C."""

COMMANDS = {
    "serve": "serve:serve",
    "open": "page:open_",
    "status": "status:status",
    "doctor": "doctor:doctor",
    "tail": "tail:tail",
    "publish": "publish:publish",
    "token": "token:token",
    "env": "env:env",
    "backup": "backup:backup",
    "restore": "restore:restore",
    "export": "export:export",
    "import": "imports:import_",
    "config": "config:config",
    "prove": "prove:prove",
    "x0xd": "x0xd:x0xd",
    "completion": "completion:completion",
    "version": "version:version",
}
"""``module:function`` of each command, in the order in which the help lists them."""


class Root(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands that are there."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        where = COMMANDS.get(cmd_name)
        if where is None:
            return None
        module, _, name = where.partition(":")
        command: click.Command = getattr(importlib.import_module(f"hubbub.cli.{module}"), name)
        return command


def exit_code(error: Exception) -> int:
    """Give the exit code of an error that is not click's own."""
    from hubbub.errors import ConfigError, StartError

    if isinstance(error, StartError):
        return EXIT_START
    return EXIT_USAGE if isinstance(error, ConfigError) else EXIT_FAILED


@click.command(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="hubbub", message="%(prog)s %(version)s")
@click.pass_context
def root(context: click.Context) -> None:
    """One room for AI agents and the people who work with them.

    `hubbub serve` runs the daemon; the other commands talk to one that runs.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """Run a command; what goes wrong is told in one line, with its exit code.

    0 it worked, 1 it failed, 2 it was used wrongly, 3 the daemon could not start.
    """
    try:
        code = root.main(prog_name="hubbub", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has left, as `head` does: nothing to complain about.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
    except Exception as error:  # noqa: BLE001 whatever it is, a user gets a line, no traceback
        click.echo(f"hubbub: {error}", err=True)
        sys.exit(exit_code(error))
    sys.exit(code if isinstance(code, int) else 0)
