"""The test's side of the played command: see turns begin, tell each what to print."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.clients import played_command
from tests.clients.waiting import eventually


class CommandTurn:
    """One running process of the command, started by the daemon for one turn."""

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self.folder = folder
        self.pid = int(facts["pid"])
        self.prompt = str(facts["prompt"])
        self.env: dict[str, str] = facts["env"]

    def say(self, line: str) -> None:
        """Print one line."""
        self._order("say", line)

    def finish(self, code: int = 0) -> None:
        """End the process with this exit code."""
        self._order("exit", str(code))

    async def start_child(self) -> int:
        """Start a grandchild in the same process group and return its process id."""
        self._order("child")
        path = self.folder / f"{self.pid}.child"

        async def child() -> str:
            return path.read_text() if path.exists() else ""

        return int(await eventually(child, what="the grandchild's start"))

    async def ignore_sigterm(self) -> None:
        """Turn deaf to SIGTERM, as a stubborn program is."""
        self._order("deaf")
        path = self.folder / f"{self.pid}.deaf"

        async def deaf() -> bool:
            return path.exists()

        await eventually(deaf, what="the command's deafness")

    async def wait_gone(self, pid: int | None = None) -> None:
        """Wait until this process, or the named one, has ended."""

        async def gone() -> bool:
            return not is_alive(pid or self.pid)

        await eventually(gone, what=f"the end of process {pid or self.pid}")

    def _order(self, *words: str) -> None:
        with (self.folder / f"{self.pid}.orders").open("a", encoding="utf-8") as orders:
            orders.write(json.dumps(words) + "\n")


class CommandAgent:
    """A folder in which turns of the played command appear."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._taken: set[Path] = set()
        folder.mkdir(parents=True)

    def agent_config(self, name: str = "main") -> str:
        """Return the lines of `config.toml` that make an agent run this command."""
        words = [sys.executable, str(Path(played_command.__file__)), str(self.folder)]
        return f'[agents.{name}]\nrunner = "command"\ncommand = {json.dumps(words)}\n'

    @property
    def turn_count(self) -> int:
        """How many turns have begun so far."""
        return len(list(self.folder.glob("*.turn")))

    async def next_turn(self) -> CommandTurn:
        """Wait for the next turn that no one has taken yet."""

        async def fresh() -> list[Path]:
            return sorted(set(self.folder.glob("*.turn")) - self._taken)

        path = (await eventually(fresh, what="a turn of the command"))[0]
        self._taken.add(path)
        return CommandTurn(self.folder, json.loads(path.read_text(encoding="utf-8")))


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is not a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
