"""Black-box fixtures: one daemon for many tests that must not disturb it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon import Daemon


@pytest.fixture(scope="module")
def shared_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for a whole module of tests, started without an event loop."""
    home: Path = tmp_path_factory.mktemp("shared-daemon")
    daemon = Daemon(home)
    try:
        daemon.start_blocking()
        yield daemon
    finally:
        daemon.end()


@pytest.fixture
def room(shared_daemon: Daemon) -> Iterator[Daemon]:
    """The shared daemon; the test fails if it died or logged an unexpected exception."""
    before = shared_daemon.log_file.stat().st_size
    yield shared_daemon
    log = shared_daemon.log_file.read_bytes()[before:].decode(errors="replace")
    assert shared_daemon.is_running, f"the daemon died:\n{log[-6000:]}"
    _, found, trace = log.partition("Traceback (most recent call last)")
    assert not found, f"the daemon logged an exception:\n{trace[:2000]}"
