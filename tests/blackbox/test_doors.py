"""The doors are open, say so, and close in order."""

import json

from tests.conftest import StartDaemon
from tests.daemon import DOORS, Daemon


async def test_every_listener_is_told_once_it_answers(daemon: Daemon) -> None:
    """`listeners.json` names the process and the real address of each of the five doors."""
    told = json.loads((daemon.data_dir / "listeners.json").read_text())
    assert set(told) == {"pid", *DOORS}
    assert told["pid"] == daemon.pid
    for door in DOORS:
        host, port = daemon.address(door)
        assert (host, port > 0) == ("127.0.0.1", True)


async def test_graceful_stop_leaves_the_tokens_and_no_addresses(daemon: Daemon) -> None:
    """SIGTERM ends with code 0; addresses go, tokens and store stay, nobody else may read them."""
    await daemon.stop()
    left = {path.name for path in daemon.data_dir.iterdir()}
    assert {"listeners.json", "api.port"} & left == set()
    assert {"hubbub.db", "api-token"} <= left
    assert daemon.data_dir.stat().st_mode & 0o777 == 0o700
    assert (daemon.data_dir / "api-token").stat().st_mode & 0o777 == 0o600


async def test_tokens_outlive_a_restart(start_daemon: StartDaemon) -> None:
    """The operator's token is made once and kept."""
    daemon = await start_daemon()
    before = daemon.token
    await daemon.restart()
    assert daemon.token == before
