"""Who starts the daemon learns when it is ready."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.clients.waiting import PATIENCE_S
from tests.conftest import StartDaemon
from tests.daemon import Daemon


@contextmanager
def supervising(address: str) -> Iterator[socket.socket]:
    """Give the socket of a supervisor."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(address)
        supervisor.settimeout(PATIENCE_S)
        yield supervisor


async def answers(daemon: Daemon) -> bool:
    """Tell whether the daemon is ready by its own word."""
    async with aiohttp.ClientSession() as http, http.get(daemon.url("hubbub", "/readyz")) as got:
        return got.status == 200


async def test_supervisor_is_told_when_every_door_answers(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    """By the datagram that systemd waits for."""
    address = tmp_path / "notify"
    with supervising(str(address)) as supervisor:
        daemon = await start_daemon(env={"NOTIFY_SOCKET": str(address)})

        assert supervisor.recv(100) == b"READY=1"
        assert await answers(daemon)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this namespace")
async def test_supervisor_is_found_in_the_abstract_namespace(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    """Where systemd has it in containers."""
    with supervising(f"\0{tmp_path}") as supervisor:
        await start_daemon(env={"NOTIFY_SOCKET": f"@{tmp_path}"})

        assert supervisor.recv(100) == b"READY=1"


async def test_supervisor_that_is_gone_hurts_nobody(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    """The daemon says so in its log, and runs."""
    daemon = await start_daemon(env={"NOTIFY_SOCKET": str(tmp_path / "nobody")})

    assert await answers(daemon)
    await daemon.logged("supervisor_not_told")
