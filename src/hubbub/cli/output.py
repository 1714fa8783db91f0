"""How commands answer: JSON lines for programs, tables for people."""

from collections.abc import Iterable, Sequence
from typing import Any

import click


def write_json(value: object) -> None:
    """Write one line of compact JSON."""
    import msgspec

    click.echo(msgspec.json.encode(value, enc_hook=str))


def write_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table without lines, as wide as the terminal."""
    from rich.table import Table

    table = Table(*head, box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for row in rows:
        table.add_row(*map(str, row))
    console().print(table)


def console() -> Any:
    """Make a console; what is not a terminal gets plain text, and is never cut."""
    import sys

    from rich.console import Console

    return Console(
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not sys.stdout.isatty(),
        width=None if sys.stdout.isatty() else 200,
    )


def ago(ms: int) -> str:
    """Say how long a span is, for people.

    Args:
        ms: Milliseconds.
    """
    seconds = max(0, ms) // 1000
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
