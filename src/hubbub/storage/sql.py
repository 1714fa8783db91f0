"""SQL as SQL: named queries from ``queries/*.sql`` and numbered migrations."""

import re
import sqlite3
import uuid
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from hubbub.errors import StartError


_PARAMETER = re.compile(r":([a-z_]+)")
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load_queries() -> dict[str, str]:
    """Read every named block of every file in ``queries/``.

    Raises:
        ValueError: Two blocks carry one name.
    """
    queries: dict[str, str] = {}
    for file in _sql_files(resources.files(__package__).joinpath("queries")):
        parts = _NAME.split(file.read_text("utf-8"))[1:]
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if name in queries:
                message = f"query {name} is defined twice"
                raise ValueError(message)
            queries[name] = text.strip().rstrip(";")
    return queries


def migrate(db: sqlite3.Connection, *, backup_to: Path | None) -> None:
    """Bring the schema to the newest version, each step in a transaction of its own.

    Args:
        db: A connection in autocommit mode.
        backup_to: Path stem for a copy of an older store, taken before the first step;
            ``None`` for a store in memory.

    Raises:
        StartError: The store is newer than this program; it is left untouched.
    """
    version = schema_of(db)
    steps = _steps()
    newest = max(steps)
    if 0 < version < newest and backup_to is not None:
        with sqlite3.connect(f"{backup_to}.v{version}.bak") as copy:
            db.backup(copy)
        copy.close()
    for number in range(version + 1, newest + 1):
        script = "\n".join(steps[number])
        try:
            db.executescript(
                f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;"
            )
        except sqlite3.Error:
            db.execute("ROLLBACK")
            raise


def schema_of(db: sqlite3.Connection) -> int:
    """Give the version of a store's schema; 0: it has none yet.

    Raises:
        StartError: The store is newer than this program.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    newest = max(_steps())
    if version > newest:
        message = (
            f"the store has schema version {version}, this program knows {newest}; "
            "start a newer hubbub, or restore a backup"
        )
        raise StartError(message)
    return int(version)


def new_epoch() -> str:
    """Make the id of a journal."""
    return uuid.uuid4().hex[:16]


def parameters(query: str) -> set[str]:
    """Give the names of a query's parameters."""
    return set(_PARAMETER.findall(query))


def _steps() -> dict[int, list[str]]:
    """Give the texts of each migration by its number; a migration is a folder of files."""
    folder = resources.files(__package__).joinpath("migrations")
    return {
        int(step.name): [file.read_text("utf-8") for file in _sql_files(step)]
        for step in folder.iterdir()
        if step.name.isdigit()
    }


def _sql_files(folder: Traversable) -> list[Traversable]:
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return sorted(files, key=lambda file: file.name)
