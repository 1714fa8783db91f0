"""Fixtures for processes: daemons, the model server and the scripted command, always ended."""

import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.clients.command_agent import CommandAgent
from tests.clients.guests import Guests
from tests.clients.model_server import ModelServer
from tests.daemon import Daemon


def pytest_configure() -> None:
    """Let Ctrl-C reach what tests start, also where the suite itself runs in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests have measured, in whatever process they ran."""
    for report in terminalreporter.stats.get("passed", ()):
        for name, value in report.user_properties:
            if name == "measured":
                terminalreporter.write_line(value)


class StartDaemon(Protocol):
    """The factory fixture's shape: start a daemon that the fixture will end."""

    async def __call__(
        self,
        config: str = "",
        *,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> Daemon:
        """Start one daemon in a directory of its own."""
        ...


@pytest.fixture
async def start_daemon(tmp_path: Path) -> AsyncIterator[StartDaemon]:
    """Start daemons on demand; end them all, and fail on any unexpected exception they logged."""
    started: list[Daemon] = []

    async def start(
        config: str = "", *, args: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> Daemon:
        home = tmp_path / f"daemon-{len(started)}"
        daemon = Daemon(home, config=config, args=args, env=env)
        started.append(daemon)
        await daemon.start()
        return daemon

    yield start
    for daemon in started:
        daemon.end()
    for daemon in started:
        assert not daemon.tracebacks(), f"the daemon logged an exception:\n{daemon.tracebacks()}"


@pytest.fixture
async def daemon(start_daemon: StartDaemon) -> Daemon:
    """One fresh daemon with default settings."""
    return await start_daemon()


@pytest.fixture
async def guests() -> AsyncIterator[Guests]:
    """Opens foreign clients towards daemons and closes them all at the end."""
    async with Guests() as opened:
        yield opened


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    """An OpenAI-compatible endpoint on loopback that does what the test says."""
    async with ModelServer() as server:
        yield server


@pytest.fixture
def command_agent(tmp_path: Path) -> CommandAgent:
    """A program that the daemon starts per turn and the test plays."""
    return CommandAgent(tmp_path / "command-agent")
