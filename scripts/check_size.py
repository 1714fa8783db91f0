"""Refuse modules and functions that have grown too long to read in one go.

Of the page's scripts and styles only the length of the file is looked at.

Run as `python -m scripts.check_size [FOLDER...]` from the root of the repository; `make lint`
does. Every finding is one line, `file:line: what is too long`, and leads to exit code 1.
"""

import argparse
import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path


MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
"""From `def` to the last line, docstring included; decorators do not count, because a command's
options are a table and no logic."""

FOLDERS = ("src", "tests", "scripts", "bench")
SUFFIXES = frozenset((".py", ".js", ".css"))


def findings(source: str, name: str) -> Iterator[str]:
    """Give one line for the module and for each function in it that is too long.

    Args:
        source: The text of a module.
        name: Its path; what to call it in a finding, and its suffix says whether it is Python.

    Raises:
        SyntaxError: The text should be Python and is not.
    """
    lines = len(source.splitlines())
    if lines > MAX_MODULE_LINES:
        first_too_many = MAX_MODULE_LINES + 1
        yield f"{name}:{first_too_many}: module has {lines} lines, {MAX_MODULE_LINES} at most"
    if not name.endswith(".py"):
        return
    for node in ast.walk(ast.parse(source, filename=name)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        # `end_lineno` is always there in a tree made by the parser.
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > MAX_FUNCTION_LINES:
            yield (
                f"{name}:{node.lineno}: function {node.name} has {lines} lines, "
                f"{MAX_FUNCTION_LINES} at most"
            )


def modules(folders: Sequence[Path]) -> Iterator[Path]:
    """Give each module below the folders once, in a stable order.

    Raises:
        NotADirectoryError: A folder does not exist, so that a typo cannot pass as "all is short".
    """
    for folder in folders:
        if not folder.is_dir():
            raise NotADirectoryError(folder)
        yield from sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the given folders, or those of the project, and return the exit code."""
    parser = argparse.ArgumentParser(prog="check_size", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    given: list[Path] = parser.parse_args(arguments).folders
    folders = given or [Path(name) for name in FOLDERS if Path(name).is_dir()]
    if not folders:
        parser.error(f"none of {', '.join(FOLDERS)} is here; run this from the repository's root")
    try:
        found = [
            line
            for module in modules(folders)
            for line in findings(module.read_text(encoding="utf-8"), str(module))
        ]
    except NotADirectoryError as missing:
        parser.error(f"{missing} is not a folder")
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
