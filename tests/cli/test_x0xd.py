"""`hubbub x0xd` in the place of `x0xd`: as x0x's harness starts it, and as people call it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.http import HttpClient
from tests.clients.waiting import PATIENCE_S, POLL_S
from tests.daemon import INHERITED


CONFIG = """
bind_address = "0.0.0.0:0"
api_address = "{address}"
data_dir = "{data_dir}"
log_level = "warn"
bootstrap_peers = []
network_id = "x0x-test-1a2b3c"
instance_name = "ws-test-4242"
heartbeat_interval_secs = 5

[history]
enabled = true
"""


class Harness:
    """Starts `hubbub x0xd` in a home of its own, and ends what it started."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data_dir = home / "data"
        self.config = home / "config.toml"
        self.running: list[subprocess.Popen[bytes]] = []
        self.configure()

    def configure(self, address: str = "127.0.0.1:0") -> None:
        """Write the file that the harness writes."""
        self.config.write_text(CONFIG.format(address=address, data_dir=self.data_dir))

    def popen(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start the command."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        if "PYTHONPATH" in os.environ:
            inherited["PYTHONPATH"] = str(Path(os.environ["PYTHONPATH"]).resolve())
        process = subprocess.Popen(
            [sys.executable, "-m", "hubbub", "x0xd", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**inherited, "HOME": str(self.home), "PYTHONWARNINGS": "default"},
        )
        self.running.append(process)
        return process

    def call(self, *words: str) -> tuple[int, str]:
        """Run the command to its end; gives exit code and output."""
        process = self.popen(*words)
        output, _ = process.communicate(timeout=PATIENCE_S)
        return process.returncode, output.decode()

    def serve(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start the daemon as the harness does, and wait for its port file."""
        process = self.popen("--config", str(self.config), "--skip-update-check", *words)
        deadline = time.monotonic() + PATIENCE_S
        while not self.port_file.exists():
            assert process.poll() is None, "the daemon ended"
            assert time.monotonic() < deadline, "no port file"
            time.sleep(POLL_S)
        return process

    @property
    def port_file(self) -> Path:
        """The file by which clients find the daemon."""
        return self.data_dir / "api.port"

    @property
    def token(self) -> str:
        """The durable token."""
        return (self.data_dir / "api-token").read_text()

    def client(self) -> HttpClient:
        """Open a client by what the files say."""
        return HttpClient(f"http://{self.port_file.read_text()}", self.token)


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """Give a harness whose processes end with the test."""
    opened = Harness(tmp_path)
    yield opened
    for process in opened.running:
        if process.poll() is None:
            process.kill()
        process.communicate()


async def test_harness_starts_uses_and_stops_the_daemon(harness: Harness) -> None:
    """It answers once its port file is there, and a shutdown removes the file and ends with 0."""
    process = harness.serve()
    async with harness.client() as client:
        assert (await client.get("/health")).body["ok"] is True
        assert len((await client.get("/agent")).body["agent_id"]) == 64
        assert (await client.post("/shutdown")).status == 200
    assert process.wait(PATIENCE_S) == 0
    assert not harness.port_file.exists()
    assert len(harness.token) == 64


async def test_daemon_after_a_kill_replaces_the_stale_port_file(harness: Harness) -> None:
    """SIGKILL leaves the file; the next start serves under a new one, with the same token."""
    first = harness.serve()
    token, port = harness.token, harness.port_file.read_text()
    first.kill()
    first.wait()
    assert harness.port_file.read_text() == port
    harness.port_file.unlink()
    harness.serve()
    async with harness.client() as client:
        assert (await client.get("/status")).body["api_address"] == harness.port_file.read_text()
    assert harness.token == token


def test_taken_address_ends_the_start_and_leaves_no_port_file(harness: Harness) -> None:
    """The exit code is 3, the text names the address, and a stale port file is gone."""
    harness.data_dir.mkdir()
    harness.port_file.write_text("127.0.0.1:1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        harness.configure(address)
        code, output = harness.call("--config", str(harness.config), "--skip-update-check")
    assert (code, address in output) == (3, True), output
    assert not harness.port_file.exists()


def test_signal_ends_it_gracefully(harness: Harness) -> None:
    """SIGTERM ends with 0 and removes the port file."""
    process = harness.serve()
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
    assert not harness.port_file.exists()


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version_is_printed_before_anything_is_read(harness: Harness, flag: str) -> None:
    """`x0xd <version>`, whatever else is on the line."""
    code, output = harness.call(flag, "--config", "/no/such/file")
    assert (code, output.split()[0]) == (0, "x0xd")


def test_check_validates_and_touches_nothing(harness: Harness) -> None:
    """A good file is shown as it counts; no directory is made and nothing is bound."""
    words = ("--config", str(harness.config), "--check", "--unknown", "value")
    code, output = harness.call(*words, "--exec-acl", "x", "--no-bootstrap", "--api-port", "7")
    assert code == 0, output
    assert "Configuration is valid" in output
    assert "api_address = 127.0.0.1:7" in output
    assert "--no-hard-coded-bootstrap" in output
    assert not harness.data_dir.exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("api_address = ", "configuration"),
        ("api_address = 7", "api_address"),
        ('api_address = "nowhere"', "must be HOST:PORT"),
        ('instance_name = "-x"', "invalid instance name"),
    ],
)
def test_bad_configuration_is_named(harness: Harness, text: str, reason: str) -> None:
    """What cannot be used ends with 3 and says why."""
    harness.config.write_text(text)
    code, output = harness.call("--config", str(harness.config), "--check")
    assert (code, reason in output) == (3, True), output
    assert harness.call("--config", "/no/such/file", "--check")[0] == 3


def test_doctor_tells_of_a_daemon_that_is_gone(harness: Harness) -> None:
    """WARN before the first start, PASS while it runs, FAIL where a port file leads nowhere."""
    words = ("--config", str(harness.config))
    code, output = harness.call(*words, "--doctor")
    assert (code, "WARN" in output, "FAIL" in output) == (0, True, False), output
    process = harness.serve()
    code, output = harness.call(*words, "doctor")
    assert (code, "WARN" in output, "PASS daemon answers" in output) == (0, False, True), output
    process.kill()
    process.wait()
    code, output = harness.call(*words, "--doctor")
    assert (code, "FAIL" in output) == (1, True), output


def test_named_instances_have_their_own_place_and_are_listed(harness: Harness) -> None:
    """`--name` serves from a directory of its own; `--list` tells who runs and who is gone."""
    assert harness.call("--list") == (0, "no instances\n")
    (root,) = _where(harness)
    harness.data_dir = root / "x0x-alice"
    harness.config.write_text("")
    harness.serve("--name", "alice")
    (root / "x0x-gone").mkdir()
    (root / "x0x-gone" / "api.port").write_text("1")
    (root / "x0x").mkdir()
    (root / "x0x" / "api.port").write_bytes(b"\xff")
    code, output = harness.call("--list")
    lines = [line.split() for line in output.splitlines()]
    assert code == 0
    assert [(name, state) for name, _, state in lines] == [("alice", "running"), ("gone", "stale")]


def test_unnamed_configuration_file_is_found(harness: Harness) -> None:
    """Without `--config` the instance's own file counts where there is one."""
    code, output = harness.call("--check")
    assert (code, "api_address = 127.0.0.1:12700" in output) == (0, True), output
    (folder,) = _where(harness, "user_config_dir")
    own = folder / "x0x-bob" / "config.toml"
    own.parent.mkdir(parents=True)
    own.write_text('api_address = "127.0.0.1:77"\nlog_level = "trace"\nlog_format = "json"\n')
    code, output = harness.call("--name", "bob", "--check")
    assert "api_address = 127.0.0.1:77" in output
    assert "log_level = debug" in output
    assert "log_json = True" in output


def _where(harness: Harness, which: str = "user_data_dir") -> list[Path]:
    """Ask where the platform keeps the data or the configuration of this home's programs."""
    program = f"import platformdirs; print(platformdirs.{which}())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        env={"HOME": str(harness.home)},
    )
    return [Path(done.stdout.decode().strip())]
