"""The daemon as its users meet it: a process, its data directory and its addresses."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.clients.http import HttpClient
from tests.clients.waiting import PATIENCE_S, POLL_S, eventually


DOORS = ("hubbub", "x0x", "crosslink", "car", "openclaw")
"""Every listener, by the name that `--listen` and `listeners.json` use."""

INHERITED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "COVERAGE_PROCESS_START",
    "COVERAGE_PROCESS_CONFIG",
)
"""The only variables that a daemon under test takes over; no `HUBBUB_*`, `CAR_*` or proxy."""

LOG_TAIL_BYTES = 6_000

END_S = 5.0
"""How long a fixture lets a daemon end by itself, in seconds."""


class DaemonDied(AssertionError):
    """The process ended, or never answered, where the test needed it to run."""


class Daemon:
    """One `hubbub serve` on free loopback ports, in a directory that outlives restarts.

    Attributes:
        data_dir: The daemon's data directory; kept over `kill`, `stop` and `restart`.
        config_file: The `config.toml` that the next start reads.
        token: The operator's token, known after the first start.
        host_token: The token of CAR's host role, known after the first start.
        process: The running process, or the last one.
    """

    def __init__(
        self,
        home: Path,
        *,
        config: str = "",
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        self.data_dir = home / "data"
        self.config_file = home / "config.toml"
        self.log_file = home / "daemon.log"
        self.args = list(args)
        self.env = dict(env or {})
        self.process: subprocess.Popen[bytes] | None = None
        self.token = ""
        self.host_token = ""
        self._listeners: dict[str, Any] = {}
        (home / "home").mkdir(parents=True, exist_ok=True)
        self.configure(config)

    def configure(self, config: str) -> None:
        """Write `config.toml`; the next start reads it."""
        self.config_file.write_text(config, encoding="utf-8")

    async def start(self) -> None:
        """Start the process and wait until every listener answers."""
        await asyncio.to_thread(self.start_blocking)

    def start_blocking(self) -> None:
        """Do what `start` does, for fixtures that have no event loop.

        Raises:
            DaemonDied: It ended or did not become ready; the text shows the end of its log.
        """
        command = [sys.executable, "-m", "hubbub", "serve", "--data-dir", str(self.data_dir)]
        for door in DOORS:
            command += ["--listen", f"{door}=127.0.0.1:0"]
        command += ["--config", str(self.config_file), *self.args]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment()
            )
        self._wait_until_ready(self.process)
        self.token = (self.data_dir / "api-token").read_text(encoding="ascii").strip()
        host_token = self.data_dir / "host-token"
        self.host_token = (
            host_token.read_text(encoding="ascii").strip() if host_token.exists() else ""
        )

    def environment(self) -> dict[str, str]:
        """Return the clean environment that the daemon and its commands run in."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        if "PYTHONPATH" in os.environ:
            paths = os.environ["PYTHONPATH"].split(os.pathsep)
            inherited["PYTHONPATH"] = os.pathsep.join(str(Path(path).resolve()) for path in paths)
        return {
            **inherited,
            "HOME": str(self.home / "home"),
            "PYTHONWARNINGS": "default",
            **self.env,
        }

    def kill(self) -> None:
        """End the process as a power cut would: SIGKILL, nothing cleaned up."""
        process = self._running()
        process.kill()
        process.wait()

    async def stop(self) -> None:
        """Ask for a graceful end by SIGTERM and insist that it happens with exit code 0."""
        process = self._running()
        process.send_signal(signal.SIGTERM)
        await self.wait_for_end(expected_code=0)

    async def wait_for_end(self, *, expected_code: int | None = None) -> int:
        """Wait until the process has ended by itself and return its exit code."""
        process = self.process
        assert process is not None
        try:
            code = await asyncio.to_thread(process.wait, PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise DaemonDied(self._explain("did not end")) from None
        if expected_code is not None and code != expected_code:
            raise DaemonDied(self._explain(f"ended with {code}, not {expected_code}"))
        return code

    async def restart(self) -> None:
        """Start again on the same data directory; whatever still runs is killed first."""
        if self.is_running:
            self.kill()
        await self.start()

    def end(self) -> None:
        """Make sure that nothing of the daemon is left; for fixtures.

        Asks first, because what a killed process ran is lost to coverage.
        """
        if self.process is None or not self.is_running:
            return
        self.process.terminate()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def is_running(self) -> bool:
        """Whether the process exists and has not ended."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the running daemon."""
        return self._running().pid

    def serves(self, door: str) -> bool:
        """Tell whether a door is open."""
        return door in self._listeners

    def url(self, door: str, path: str = "") -> str:
        """Return the HTTP address of a door, e.g. `http://127.0.0.1:43117/health`."""
        return str(self._listeners[door]).rstrip("/") + path

    def ws_url(self, door: str, path: str = "/") -> str:
        """Return the WebSocket address of a path of a door."""
        return "ws" + self.url(door, path).removeprefix("http")

    def address(self, door: str) -> tuple[str, int]:
        """Return host and port of a door."""
        host, _, port = self.url(door).rpartition("/")[2].partition(":")
        return host, int(port)

    async def hubbub(self, *args: str) -> str:
        """Run a `hubbub` command against this daemon and return what it prints.

        Raises:
            AssertionError: It ended with another code than 0.
        """
        command = [sys.executable, "-m", "hubbub", *args, "--data-dir", str(self.data_dir)]
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=self.environment(),
            timeout=PATIENCE_S * 2,
            check=False,
        )
        text = f"{done.stdout.decode()}\n{done.stderr.decode()}"
        assert done.returncode == 0, (
            f"hubbub {' '.join(args)} ended with {done.returncode}:\n{text}"
        )
        return done.stdout.decode()

    async def agent_token(self, agent: str, *scopes: str) -> str:
        """Make a token that is bound to one agent; it may read and write, if nothing is said."""
        params = {"agent": agent, **({"scopes": scopes} if scopes else {})}
        return str((await self.call("tokens.create", params))["token"])

    async def link(self) -> str:
        """Make a link that opens the page once."""
        made = await self.call("tokens.ticket", {})
        return f"{self.url('hubbub')}/#ticket={made['ticket']}"

    async def call(self, method: str, params: object) -> Any:
        """Call a method as the operator, by POST; gives its result."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with HttpClient(self.url("hubbub"), self.token) as client:
            answer = await client.request("POST", "/rpc", call)
        assert "result" in answer.body, f"{method} failed: {answer.text}"
        return answer.body["result"]

    async def logged(self, text: str) -> str:
        """Wait until the daemon has written a text, and return the end of its log.

        A daemon answers as soon as its doors are open; what it says of itself may come after that.
        """

        async def log_with_it() -> str:
            log = self.log_tail()
            return log if text in log else ""

        return await eventually(log_with_it, what=f"the log of {text!r}")

    def log_tail(self) -> str:
        """Return the end of what the daemon wrote to its standard streams."""
        if not self.log_file.exists():
            return ""
        return self.log_file.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")

    def tracebacks(self) -> str:
        """Return the log if it tells of an unexpected exception, else an empty text."""
        text = self.log_file.read_text(errors="replace") if self.log_file.exists() else ""
        return text[-LOG_TAIL_BYTES:] if "Traceback (most recent call last)" in text else ""

    def rss_bytes(self) -> int | None:
        """Return the resident memory of the process, or `None` where /proc does not tell."""
        status = Path(f"/proc/{self.pid}/status")
        if not status.exists():
            return None
        for line in status.read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return None

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None or self.process.poll() is not None:
            raise DaemonDied(self._explain("is not running"))
        return self.process

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        listeners = self.data_dir / "listeners.json"
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise DaemonDied(self._explain(f"ended with {process.returncode} at start"))
            # A killed daemon leaves its file behind: only the new process's own counts.
            try:
                found = json.loads(listeners.read_text())
            except FileNotFoundError:  # not there yet, or just removed as a killed daemon's
                found = {}
            if found.get("pid") == process.pid:
                self._listeners = found
                return
            time.sleep(POLL_S)
        process.kill()
        process.wait()
        raise DaemonDied(self._explain("did not become ready"))

    def _explain(self, what: str) -> str:
        return f"the daemon {what}; the end of its log:\n{self.log_tail()}"
