"""Write the manual page, `docs/hubbub.1`, from the commands themselves.

Run as `python -m scripts.write_manual` from the root of the repository. The wheel installs the
page as `share/man/man1/hubbub.1`; a test fails when it is not what the commands say.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from hubbub import __version__
from hubbub.cli.main import root
from scripts import command_tree
from scripts.command_tree import Called


PAGE = Path(__file__).parents[1] / "docs" / "hubbub.1"

EXIT_CODES = {
    0: "It worked.",
    1: "It failed: no daemon answers, or it refused; `hubbub doctor` has found something.",
    2: "It was used wrongly: an option, a setting or a value that cannot be.",
    3: "The daemon could not start, or the data directory is in use or of a newer program.",
    130: "It was ended by Ctrl-C.",
}
FILES = {
    "hubbub.db": "the store, an SQLite database",
    "config.toml": "your settings; `hubbub config show` lists them",
    "api-token": "the operator's token",
    "host-token": "the token of CAR's host role",
    "agent.key": "the daemon's own identity",
    "listeners.json": "pid and addresses while the daemon runs",
}
VARIABLES = {
    "HUBBUB_DATA_DIR": "the data directory, as `--data-dir`",
    "HUBBUB_CONFIG": "the file of settings, as `--config`",
    "HUBBUB_TLS_CA": "authorities that the daemon's certificate is checked against",
    "HUBBUB_SECTION__NAME": "any other setting, as `HUBBUB_STORE__READERS=4`",
}


def page() -> str:
    """Give the manual page, in roff with the man macros."""
    top = command_tree.top()
    lines = [
        '.\\" Written by scripts/write_manual.py; change the help of the commands instead.',
        f'.TH HUBBUB 1 "" "hubbub {__version__}" "User Commands"',
        ".SH NAME",
        "hubbub \\- one room for AI agents and the people who work with them",
        ".SH SYNOPSIS",
        ".B hubbub",
        "COMMAND [OPTION]... [ARGUMENT]...",
        ".SH DESCRIPTION",
        *_text(root.help or ""),
        ".SH OPTIONS",
        *_options(top),
        ".SH COMMANDS",
    ]
    for called in command_tree.commands(*top):
        lines += _command(called)
    lines += [".SH EXIT STATUS", *_list({str(code): text for code, text in EXIT_CODES.items()})]
    lines += [".SH ENVIRONMENT", *_list(VARIABLES)]
    lines += [".SH FILES", "In the data directory:", *_list(FILES)]
    return "\n".join(lines) + "\n"


def _command(called: Called) -> Iterator[str]:
    command, _ = called
    yield f'.SS "{_escaped(command_tree.usage(called))}"'
    yield from _text(command.help or "")
    yield from _options(called)


def _options(called: Called) -> Iterator[str]:
    for option, text in command_tree.options(called):
        yield ".TP"
        yield f"\\fB{_escaped(option)}\\fR"
        yield _marked(text)


def _list(entries: dict[str, str]) -> Iterator[str]:
    for name, text in entries.items():
        yield ".TP"
        yield f"\\fB{_escaped(name)}\\fR"
        yield _marked(text)


def _text(text: str) -> Iterator[str]:
    """Give paragraphs; they are filled anew by whoever shows them."""
    for number, paragraph in enumerate(inspect.cleandoc(text).split("\n\n")):
        if number:
            yield ".PP"
        yield _marked(" ".join(paragraph.split()))


def _marked(text: str) -> str:
    """Give a text with what stands between backticks in bold, safe at the begin of a line."""
    parts = re.split(r"`([^`]*)`", text)
    shown = "".join(
        f"\\fB{_escaped(part)}\\fR" if number % 2 else _escaped(part)
        for number, part in enumerate(parts)
    )
    return f"\\&{shown}" if shown[:1] in (".", "'") else shown


def _escaped(text: str) -> str:
    """Give a text as roff shows it: backslashes, hyphens that are typed, and quotes."""
    for sign, shown in (
        ("\\", "\\e"),
        ("-", "\\-"),
        ("'", "\\(aq"),
        ('"', "\\(dq"),
        ("~", "\\(ti"),
    ):
        text = text.replace(sign, shown)
    return text


def main() -> None:
    """Bring the page up to date."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
