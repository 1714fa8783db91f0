"""The daemon under proof: the ordinary one, on a clock and a disk that can be told to fail.

``python -m hubbub.prove.subject DATA_DIR CONDITIONS`` serves every door on a free port. It
reads the conditions again whenever their file has changed; the daemon itself knows nothing
of them, it only gets another clock and another commit hook than usual.
"""

import os
import sqlite3
import sys
import threading
import time
from pathlib import Path

import msgspec

from hubbub.app import Daemon, run
from hubbub.config import LISTENERS, Listen, Settings
from hubbub.core.chat.agents import AgentSettings
from hubbub.core.values import wall_clock
from hubbub.telemetry import set_up_logging


EXECUTIONS = "executions"
"""File in the data directory to which the agent ``counted`` adds its run's id at each turn."""
POLL_S = 0.02
"""Seconds between two looks at the conditions."""


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What the daemon's world is like."""

    clock_ms: int = 0
    """Milliseconds by which its clock is wrong."""
    is_disk_full: bool = False
    commit_ms: int = 0
    """Milliseconds that each commit takes besides its own time."""

    def write(self, path: Path) -> None:
        """Put them into force: atomically, for a reader in another process."""
        temporary = path.with_suffix(".new")
        temporary.write_bytes(msgspec.json.encode(self))
        temporary.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Conditions":
        """Read what ``write`` wrote; all is well where nothing was written."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except FileNotFoundError:
            return cls()


class World:
    """The clock and the disk of one daemon, as the conditions have them."""

    def __init__(self, path: Path) -> None:
        """Read the conditions, and go on reading them."""
        self._path = path
        self.now = Conditions.read(path)
        """As they were read last."""
        threading.Thread(target=self._watch, name="conditions", daemon=True).start()

    def clock(self) -> int:
        """Give Unix time in milliseconds, right or wrong."""
        return wall_clock() + self.now.clock_ms

    def reached(self, point: str) -> None:
        """Let a commit be slow, or fail as SQLite does on a full disk.

        Raises:
            sqlite3.OperationalError: The disk is full.
        """
        if point != "before_commit":
            return
        time.sleep(self.now.commit_ms / 1000)
        if self.now.is_disk_full:
            message = "database or disk is full"
            raise sqlite3.OperationalError(message)

    def _watch(self) -> None:
        while True:
            time.sleep(POLL_S)
            self.now = Conditions.read(self._path)


def settings_for(data_dir: Path) -> Settings:
    """Give the settings of a daemon under proof: every door on a free port, two agents."""
    counted = AgentSettings(
        runner="command",
        command=("/bin/sh", "-c", f'echo "$HUBBUB_RUN_ID" >> {EXECUTIONS}; cat'),
        cwd=str(data_dir),
    )
    return Settings(
        data_dir=data_dir,
        listen=msgspec.convert(dict.fromkeys(LISTENERS, "127.0.0.1:0"), Listen),
        explicit=frozenset(LISTENERS),
        agents={"main": AgentSettings(), "counted": counted},
    )


def daemon_on(data_dir: Path, conditions: Path) -> Daemon:
    """Make the daemon under proof."""
    world = World(conditions)
    return Daemon(settings_for(data_dir), clock=world.clock, crash=world.reached)


def main() -> None:
    """Serve until killed or told to stop."""
    data_dir, conditions = map(Path, sys.argv[1:])
    # Whoever proves may be killed, and must not leave a daemon behind.
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    set_up_logging("info", as_json=True)
    run(daemon_on(data_dir, conditions), _silent)


async def _silent(_daemon: Daemon) -> None:
    """Say nothing when it is ready: whoever proves looks for `listeners.json`."""


def _end_with(parent: int) -> None:
    """End this process once its parent is another."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
