"""Reading: conditions on topics, and the answer to a read that the writer makes."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hubbub.core.ports import Settled


class ReadDone:
    """Answers a read that the writer made."""

    def __init__(self, future: asyncio.Future[Any]) -> None:
        self._future = future

    def __call__(self, settled: Settled) -> None:
        """Give what was read, or the error, to whoever waits."""
        settled.answer(self._future)


def file_bytes(path: Path) -> int:
    """Count the bytes of a store's file and of those that SQLite keeps beside it."""
    total = 0
    for end in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            total += Path(f"{path}{end}").stat().st_size
    return total


def matching(patterns: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Give a condition on ``topic`` for names, ``prefix/*`` and ``*``, with its values."""
    if "*" in patterns:
        return "1", {}
    parts: list[str] = []
    values: dict[str, str] = {}
    # "+topic" keeps SQLite on the order of seq where an index would need a sort.
    column = "topic" if len(patterns) == 1 else "+topic"
    for number, pattern in enumerate(patterns):
        name = f"t{number}"
        if pattern.endswith("/*"):
            prefix = pattern[:-1]
            parts.append(f"({column} >= :{name} AND {column} < :{name}_end)")
            values[name], values[f"{name}_end"] = prefix, prefix[:-1] + chr(ord("/") + 1)
        else:
            parts.append(f"{column} = :{name}")
            values[name] = pattern
    return f"({' OR '.join(parts)})" if parts else "0", values
