"""Write docs/options.md from the commands themselves.

Run as `python -m scripts.write_options`; a test fails while the page is out of step.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path

from scripts import command_tree
from scripts.command_tree import Called


PAGE = Path(__file__).parents[1] / "docs" / "options.md"

HEAD = """# Options

Every command with its options, as `hubbub COMMAND --help` has them. [Commands](commands.md) says
what they are for, and what exit codes mean.

This page is made from the code by `python -m scripts.write_options`.
"""


def page() -> str:
    """Make the whole page."""
    top = command_tree.top()
    parts = [HEAD, "\n## `hubbub`\n", *_options(top)]
    for called in command_tree.commands(*top):
        parts += _command(called)
    return "".join(parts)


def _command(called: Called) -> Iterator[str]:
    command, context = called
    yield f"\n## `{context.command_path}`\n\n"
    yield f"`{command_tree.usage(called)}`\n"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield f"\n{' '.join(paragraph.split())}\n"
    yield from _options(called)


def _options(called: Called) -> Iterator[str]:
    records = list(command_tree.options(called))
    if records:
        yield "\n| Option | Does |\n|---|---|\n"
    for option, text in records:
        yield f"| `{_in_cell(option)}` | {_in_cell(text)} |\n"


def _in_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
