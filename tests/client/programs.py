"""Programs that stand in the documents, run as their readers would run them."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.clients.waiting import PATIENCE_S
from tests.daemon import Daemon


ROOT = Path(__file__).parents[2]


def programs(page: str) -> list[str]:
    """Give the Python programs of a page, each exactly as it is written there."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def program(page: str, what: str) -> str:
    """Give the one program of a page that contains a text."""
    (found,) = [text for text in programs(page) if what in text]
    return found


class Program:
    """A program that runs."""

    def __init__(self, process: asyncio.subprocess.Process, errors: Path) -> None:
        self.process = process
        self._errors = errors

    async def line(self) -> str:
        """Wait for its next line of output."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S)
        assert line, self._errors.read_text()
        return line.decode().rstrip("\n")

    async def ended(self) -> str:
        """Wait until it has ended well; gives the rest of its output."""
        assert self.process.stdout is not None
        rest = await asyncio.wait_for(self.process.stdout.read(), PATIENCE_S)
        code = await asyncio.wait_for(self.process.wait(), PATIENCE_S)
        assert code == 0, self._errors.read_text()
        return rest.decode()

    def check(self) -> None:
        """Insist that it runs, and has nothing to complain about."""
        assert self.process.returncode is None, self._errors.read_text()
        assert self._errors.read_text() == ""


@asynccontextmanager
async def running(text: str, daemon: Daemon, folder: Path) -> AsyncIterator[Program]:
    """Run a program in a folder, with the daemon where it looks for it; it ends with the block."""
    file = folder / "program.py"
    file.write_text(text, encoding="utf-8")
    errors = folder / "program.err"
    with errors.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(file),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=folder,
            env={
                **daemon.environment(),
                "HUBBUB_DATA_DIR": str(daemon.data_dir),
                "PYTHONUNBUFFERED": "1",
            },
        )
    try:
        yield Program(process, errors)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
