"""The processes under load: our daemon, the native bound, the bare library server."""

import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.load import Tools
from bench.measure import ProbeFailed, Skipped


ROOT = Path(__file__).parent.parent
"""The repository; child processes run here, so that they find this package."""

DOORS = ("hubbub", "x0x", "crosslink", "car", "openclaw")
PATIENCE_S = 60.0
POLL_S = 0.002


def raise_descriptor_limit(wanted: int) -> int:
    """Raise this process's and its children's limit of open files; return what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    goal = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < goal:
        resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
        soft = goal
    return soft


class Server:
    """A child process on loopback, ended on leaving the `with` block."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.name = " ".join(command[:3])
        self.log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    @property
    def pid(self) -> int:
        """The process to account for."""
        return self.process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process: politely, then by force."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE_S / 4)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def first_line(self) -> str:
        """Wait for the first line of its standard output.

        Raises:
            ProbeFailed: It ended without one.
        """
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode().strip()
        if not line:
            raise ProbeFailed(self.explain("said nothing"))
        return line

    def explain(self, what: str) -> str:
        """Return a failure text that ends with the process's last words."""
        words = self.log.read_text(errors="replace").strip()[-300:] if self.log.exists() else ""
        return f"{self.name} {what}; {words}"


def native_hub(tools: Tools, mode: str = "direct") -> tuple[Server, str]:
    """Start the native bound; return it and its `host:port`."""
    address = f"127.0.0.1:{_free_port()}"
    port = address.rpartition(":")[2]
    server = Server([str(tools.path("nativefan")), port, mode], tools.build / "nativefan.log")
    _until(lambda: _answers(address), server, "did not listen")
    return server, address


def bare_server(tools: Tools) -> tuple[Server, str]:
    """Start the bare library server; return it and its `host:port`."""
    command = [sys.executable, "-m", "bench.bare_server"]
    server = Server(command, tools.build / "bare_server.log")
    return server, f"127.0.0.1:{server.first_line()}"


class Hubbub(Server):
    """One `hubbub serve` with durability on, every listener on a free port."""

    def __init__(self, data_dir: Path, *, only: Sequence[str] = DOORS) -> None:
        self.data_dir = data_dir
        (data_dir / "listeners.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "hubbub", "serve", "--data-dir", str(data_dir)]
        for door in only:
            command += ["--listen", f"{door}=127.0.0.1:0"]
        super().__init__(command, data_dir.with_suffix(".log"))
        self.listeners: dict[str, Any] = {}

    def wait_ready(self) -> None:
        """Wait until the listeners are told and `/healthz` answers 200.

        Raises:
            ProbeFailed: The daemon ended, or was not ready in time.
        """
        _until(self._told, self, "did not tell its listeners")
        _until(self._healthy, self, "did not answer /healthz")

    @property
    def token(self) -> str:
        """The operator's token."""
        return (self.data_dir / "api-token").read_text(encoding="ascii").strip()

    @property
    def bearer(self) -> tuple[str, str]:
        """The load generator's words for the operator's token."""
        return "--header", f"Authorization: Bearer {self.token}"

    def address(self, door: str) -> str:
        """Return a listener's `host:port`.

        Raises:
            Skipped: This daemon has no such listener.
        """
        if door not in self.listeners:
            reason = f"this daemon has no {door} listener"
            raise Skipped(reason)
        return str(self.listeners[door]).rstrip("/").rpartition("/")[2]

    def call(self, door: str, method: str, path: str, body: object = None) -> Any:
        """Make one HTTP request with the operator's token and return the parsed answer.

        Raises:
            ProbeFailed: The answer is not a success.
        """
        connection = http.client.HTTPConnection(self.address(door), timeout=PATIENCE_S)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body)
        with contextlib.closing(connection):
            connection.request(method, path, body=sent, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        if not 200 <= answer.status < 300:
            failure = f"{method} {path} answered {answer.status}: {text[:200]}"
            raise ProbeFailed(failure)
        return json.loads(text)

    def rpc(self, method: str, params: object) -> Any:
        """Make one call through POST /rpc and return its result.

        Raises:
            ProbeFailed: The answer is an error.
        """
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self.call("hubbub", "POST", "/rpc", call)
        if "result" not in answer:
            failure = f"{method} failed: {answer.get('error')}"
            raise ProbeFailed(failure)
        return answer["result"]

    def _told(self) -> bool:
        try:
            told = json.loads((self.data_dir / "listeners.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return False
        self.listeners = told
        return bool(told.get("pid") == self.pid)

    def _healthy(self) -> bool:
        connection = http.client.HTTPConnection(self.address("hubbub"), timeout=PATIENCE_S)
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/healthz")
                return connection.getresponse().status == 200
            except OSError:
                return False


def scratch_folder(build: Path) -> tempfile.TemporaryDirectory[str]:
    """Make a folder for data directories: on the disk of the build folder, not in memory."""
    build.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="data-", dir=build)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that the threads of a process have used so far, in seconds.

    Raises:
        Skipped: This system has no /proc that tells.
    """
    total = 0
    tasks = Path(f"/proc/{pid}/task")
    if not tasks.exists():
        reason = "CPU time is read from /proc, so Linux"
        raise Skipped(reason)
    for task in tasks.iterdir():
        with contextlib.suppress(FileNotFoundError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def _until(holds: Any, server: Server, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if server.process.poll() is not None:
            raise ProbeFailed(server.explain(f"ended with {server.process.returncode}"))
        if time.monotonic() > deadline:
            raise ProbeFailed(server.explain(what))
        time.sleep(POLL_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(address: str) -> bool:
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True
