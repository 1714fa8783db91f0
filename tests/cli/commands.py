"""Run `hubbub` as its users do: as a process, with its output and its exit code."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.clients.waiting import PATIENCE_S
from tests.daemon import Daemon


HUBBUB = [sys.executable, "-m", "hubbub"]


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one line of JSON that it wrote."""
        (line,) = self.out.splitlines()
        return json.loads(line)


async def hubbub(daemon: Daemon, *args: str, stdin: str = "") -> Done:
    """Run a command in the environment and on the data directory of a daemon."""
    return await asyncio.to_thread(_run, daemon, args, stdin)


def _run(daemon: Daemon, args: tuple[str, ...], stdin: str) -> Done:
    done = subprocess.run(
        [*HUBBUB, *args],
        input=stdin,
        capture_output=True,
        text=True,
        env={**daemon.environment(), "HUBBUB_DATA_DIR": str(daemon.data_dir), "COLUMNS": "200"},
        timeout=2 * PATIENCE_S,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


class Following:
    """A command that runs on, read line by line."""

    def __init__(self, process: asyncio.subprocess.Process, errors: Path) -> None:
        self.process = process
        self._errors = errors

    async def line(self) -> str:
        """Wait for its next line of output; empty at the end."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S)
        return line.decode().rstrip("\n")

    async def interrupt(self) -> int:
        """Press Ctrl-C and give the exit code."""
        self.process.send_signal(signal.SIGINT)
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)

    def close_output(self) -> None:
        """Stop reading, as `head` does when it has enough."""
        assert self.process.stdout is not None
        transport = self.process.stdout._transport  # type: ignore[attr-defined]  # noqa: SLF001 asyncio has no other way
        transport.close()

    async def end(self) -> int:
        """Wait until it ends by itself and give the exit code."""
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)

    def said(self) -> str:
        """What stands on standard error so far."""
        return self._errors.read_text()


@asynccontextmanager
async def following(
    daemon: Daemon, *args: str, variables: Mapping[str, str] | None = None
) -> AsyncIterator[Following]:
    """Start a command that runs on; it is ended with the block.

    Args:
        variables: More of the environment; without it, the daemon's data directory.
    """
    errors = daemon.home / "following.err"
    place = {"HUBBUB_DATA_DIR": str(daemon.data_dir)} if variables is None else variables
    environment = {**daemon.environment(), **place}
    with errors.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *HUBBUB,
            *args,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**environment, "PYTHONUNBUFFERED": "1"},
        )
    try:
        yield Following(process, errors)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
