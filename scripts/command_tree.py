"""The tree of commands, as those pages need it that are made of it."""

from collections.abc import Iterator

import click

from hubbub.cli.main import root


Called = tuple[click.Command, click.Context]
"""A command that can be called, and its context, which knows the words that call it."""


def top() -> tuple[click.Group, click.Context]:
    """Give the root command."""
    return root, click.Context(root, info_name="hubbub", help_option_names=["-h", "--help"])


def commands(group: click.Group, context: click.Context) -> Iterator[Called]:
    """Give every command below a group that can be called, in the order of the help."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        below = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from commands(command, below)
        else:
            yield command, below


def usage(called: Called) -> str:
    """Give the line that says how a command is called."""
    command, context = called
    return " ".join((context.command_path, *command.collect_usage_pieces(context)))


def options(called: Called) -> Iterator[tuple[str, str]]:
    """Give a command's options as its help shows them; that for help is said once, for all."""
    command, context = called
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        is_said_once = "--help" in parameter.opts and command is not root
        if record and isinstance(parameter, click.Option) and not is_said_once:
            yield record
