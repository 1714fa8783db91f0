"""The daemon's process, as a fault treats it: started, killed, stopped, continued."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from hubbub.prove.history import History, Recovered
from hubbub.prove.subject import Conditions


COMMAND = (sys.executable, "-m", "hubbub.prove.subject")
"""Starts the daemon under proof; data directory and conditions follow."""
START_S = 60.0
"""Seconds that a daemon has to serve after its start."""
STOP_S = 15.0
"""Seconds that a daemon has to end by itself."""
POLL_S = 0.02

KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "HOME", "PYTHONPATH", "PYTHONWARNINGS", "VIRTUAL_ENV")
"""Variables that the daemon takes over; settings of the user's own daemon are none of them."""
KEPT_PREFIX = "COVERAGE_"


class SubjectFailed(Exception):
    """The daemon did not start, or ended where nobody ended it."""


class Process:
    """One daemon on one data directory, through all its restarts."""

    def __init__(
        self, folder: Path, history: History, *, command: Sequence[str] = COMMAND, log: Path
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            folder: Home of the data directory and the conditions.
        """
        self.data_dir = folder / "data"
        self.conditions = folder / "conditions.json"
        self._history = history
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._addresses: dict[str, str] = {}
        self._is_meant_to_run = False

    def url(self, listener: str) -> str:
        """Give the daemon's own address of a listener; another one after each start."""
        return self._addresses[listener]

    def address(self, listener: str) -> tuple[str, int] | None:
        """Give host and port of a listener; ``None`` while the daemon is down."""
        url = self._addresses.get(listener)
        if url is None:
            return None
        host, _, port = url.removeprefix("http://").rpartition(":")
        return host, int(port)

    def secret(self, name: str) -> str:
        """Read a token from the daemon's files."""
        return (self.data_dir / name).read_text("ascii").strip()

    def set_conditions(self, conditions: Conditions) -> None:
        """Change the daemon's world."""
        conditions.write(self.conditions)

    async def start(self) -> None:
        """Start the daemon and wait until it serves.

        Raises:
            SubjectFailed: It does not.
        """
        began = self._history.now()
        with self._log.open("ab") as log:
            self._process = self._popen(log)
        self._is_meant_to_run = True
        deadline = time.monotonic() + START_S
        while not self._is_ready(self._process.pid):
            self.check()
            if time.monotonic() > deadline:
                message = f"the daemon did not serve within {START_S:.0f} s; see {self._log}"
                raise SubjectFailed(message)
            await asyncio.sleep(POLL_S)
        self._history.add(Recovered(at=began, until=self._history.now()))

    def kill(self) -> None:
        """End the daemon as a power cut would."""
        self._is_meant_to_run = False
        self._addresses = {}
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Stop the process: it keeps its connections and says nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a stopped process go on."""
        self._signal(signal.SIGCONT)

    async def stop(self) -> None:
        """End the daemon as a user does."""
        self._is_meant_to_run = False
        if self._process is None or self._process.poll() is not None:
            return
        self.resume()
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, STOP_S)
        self.kill()

    def check(self) -> None:
        """See whether the daemon runs if it should.

        Raises:
            SubjectFailed: It has ended by itself.
        """
        if not self._is_meant_to_run or self._process is None:
            return
        code = self._process.poll()
        if code is not None:
            message = f"the daemon ended by itself with code {code}; see {self._log}"
            raise SubjectFailed(message)

    def _popen(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        command = [*self._command, str(self.data_dir), str(self.conditions)]
        return subprocess.Popen(  # noqa: S603 our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_variables(os.environ),
            # Ctrl-C is for the proof, which then ends its daemon. In a group of its own in the
            # same session, one that stands stopped is ended by the system when we are gone.
            process_group=0,
        )

    def _is_ready(self, pid: int) -> bool:
        """Look whether this very process has told its addresses."""
        try:
            found = json.loads((self.data_dir / "listeners.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return False
        if found.pop("pid") != pid:
            return False
        self._addresses = found
        return True

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name in KEPT or name.startswith(KEPT_PREFIX)
    }
