"""`hubbub serve`: what it opens and says, and how it refuses to start."""

import asyncio
import json
import re
import resource
import socket
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from hubbub.app import MOST_DESCRIPTORS
from tests.cli.commands import following
from tests.cli.commands import hubbub as run
from tests.conftest import StartDaemon
from tests.daemon import DOORS, Daemon


FREE = [word for door in DOORS for word in ("--listen", f"{door}=127.0.0.1:0")]


@pytest.fixture
def nobody(tmp_path: Path) -> Daemon:
    """Give the place of a daemon that was never started."""
    return Daemon(tmp_path)


async def test_banner_says_what_is_open(nobody: Daemon) -> None:
    """Each door with its address, the token in the form that crosslink's harness reads."""
    async with following(nobody, "serve", *FREE) as serve:
        lines = [await serve.line() for _ in range(9)]
        found = json.loads((nobody.data_dir / "listeners.json").read_text())
        token = (nobody.data_dir / "api-token").read_text()

        assert lines[0].endswith(f", data in {nobody.data_dir}")
        for door, line in zip(DOORS, lines[1:6], strict=True):
            assert line.split() == [door, found[door]]
        assert lines[6] == f"  Auth:      Bearer {token}"
        link = rf"Open {found['hubbub']}/#ticket=[0-9a-f]{{64}} in a browser\."
        assert re.fullmatch(link, lines[7])
        assert token not in lines[7]
        assert lines[8].startswith("  It works once, within 10 min. Another one: ")
        assert lines[8].endswith(" open")
        assert found["pid"] == serve.process.pid


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux tells of another process")
async def test_as_many_connections_as_the_system_allows(nobody: Daemon) -> None:
    """A low soft limit of open files is raised to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        serve = following(nobody, "serve", *FREE)
        async with serve as started:
            await started.line()
            raised, _ = resource.prlimit(started.process.pid, resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert raised == min(hard, MOST_DESCRIPTORS)


async def test_banner_as_json(nobody: Daemon) -> None:
    """One line for programs, without any secret."""
    async with following(nobody, "serve", *FREE, "--json") as serve:
        banner = json.loads(await serve.line())

        assert banner["pid"] == serve.process.pid
        assert set(banner["listeners"]) == set(DOORS)
        assert banner["data_dir"] == str(nobody.data_dir)


async def test_stop_leaves_secrets_and_store_and_nothing_else(daemon: Daemon) -> None:
    """SIGTERM ends with 0; the files that say what is open are gone."""
    await daemon.stop()

    left = {path.name for path in daemon.data_dir.iterdir()}
    assert left == {"lock", "hubbub.db", "api-token", "host-token", "agent.key"}
    for name in ("api-token", "host-token", "agent.key"):
        assert stat.S_IMODE((daemon.data_dir / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(daemon.data_dir.stat().st_mode) == 0o700


async def test_only_opens_one_door_and_hubbubs_own(nobody: Daemon) -> None:
    """The others are not bound; all are still served under hubbub's own address."""
    async with following(nobody, "serve", *FREE, "--only", "car") as serve:
        await serve.line()
        found = json.loads((nobody.data_dir / "listeners.json").read_text())

        assert set(found) == {"pid", "hubbub", "car"}


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    """Give a port that something else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


async def test_address_that_was_asked_for_and_is_taken_ends_with_3(
    nobody: Daemon, taken: socket.socket
) -> None:
    """The text names address and reason, and nothing has been written."""
    port = taken.getsockname()[1]

    done = await run(nobody, "serve", *FREE, "--listen", f"car=127.0.0.1:{port}")

    assert done.code == 3
    assert f"cannot listen on 127.0.0.1:{port}" in done.err
    assert not nobody.data_dir.exists()


async def test_second_daemon_on_a_directory_ends_with_3(daemon: Daemon) -> None:
    """It says who is there, and leaves the first one's files alone."""
    before = (daemon.data_dir / "listeners.json").read_bytes()

    done = await run(daemon, "serve", *FREE)

    assert done.code == 3
    assert f"another hubbub uses {daemon.data_dir}" in done.err
    assert (daemon.data_dir / "listeners.json").read_bytes() == before


async def test_newer_store_ends_with_3_and_stays_as_it_is(daemon: Daemon) -> None:
    """Its version and ours are named; no byte of it changes."""
    await daemon.stop()
    file = daemon.data_dir / "hubbub.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 9000")
    db.close()
    before = file.read_bytes()

    done = await run(daemon, "serve", *FREE)

    assert done.code == 3
    assert "the store has schema version 9000" in done.err
    assert file.read_bytes() == before


async def test_store_that_is_none_ends_with_3(nobody: Daemon) -> None:
    """A foreign file is not overwritten, and there is no traceback."""
    nobody.data_dir.mkdir()
    (nobody.data_dir / "hubbub.db").write_text("this is not a database" * 100)

    done = await run(nobody, "serve", *FREE)

    assert done.code == 3
    assert "Traceback" not in done.err
    assert (nobody.data_dir / "hubbub.db").read_text().startswith("this is not")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--listen", "xox=127.0.0.1:0"], "the nearest is 'listen.x0x'"),
        (["--listen", "x0x"], "must be NAME=HOST:PORT"),
        (["--listen", "x0x=12700"], "must be HOST:PORT"),
        (["--listen", "x0x=0.0.0.0:0"], "allow it with --insecure-listen"),
        (["--only", "xox"], "there is no listener 'xox'"),
        (["--log-level", "loud"], "must be debug, info, warning or error"),
        (["--config", "/does/not/exist"], "cannot read /does/not/exist"),
        (["--nonsense"], "No such option"),
    ],
)
async def test_wrong_flag_ends_with_2(nobody: Daemon, words: list[str], said: str) -> None:
    """The text says what would be right; nothing has been written."""
    done = await run(nobody, "serve", *FREE, *words)

    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert not nobody.data_dir.exists()


async def test_listening_for_others_is_possible_where_it_is_asked_for(nobody: Daemon) -> None:
    """With the flag the daemon starts, and answers to the host that it is bound to."""
    words = ["--listen", "hubbub=0.0.0.0:0", "--only", "hubbub", "--insecure-listen"]
    async with following(nobody, "serve", *words) as serve, aiohttp.ClientSession() as http:
        await serve.line()
        url = json.loads((nobody.data_dir / "listeners.json").read_text())["hubbub"]

        async with http.get(f"{url}/healthz") as answer:
            assert answer.status == 200


async def test_default_address_that_is_taken_is_skipped(start_daemon: StartDaemon) -> None:
    """The daemon starts without that door, and the log names the way out.

    One of two daemons with default addresses cannot have them.
    """
    daemon = await start_daemon()
    words = ["serve", "--listen", "hubbub=127.0.0.1:0", "--data-dir", str(daemon.home / "b")]
    async with following(daemon, *words) as first:
        await first.line()
        words[-1] = str(daemon.home / "c")
        async with following(daemon, *words) as second:
            await second.line()

            assert "listener_skipped" in second.said()
            assert "--listen car=127.0.0.1:0" in second.said()


async def test_ephemeral_daemon_keeps_nothing(nobody: Daemon) -> None:
    """There is no store file, while it runs or after."""
    async with following(nobody, "serve", *FREE, "--ephemeral") as serve:
        await serve.line()
        await run(nobody, "publish", "t", "1")
        assert await serve.interrupt() == 0

    assert not list(nobody.data_dir.glob("hubbub.db*"))


async def test_demo_lets_two_agents_talk(nobody: Daemon) -> None:
    """`hubbub tail` without further words shows them; Ctrl-C ends the demo at once."""
    async with following(nobody, "serve", *FREE, "--demo") as demo:
        while not (line := await demo.line()).startswith("Two agents talk."):
            assert line
        done = await run(nobody, "tail", "lobby", "--all", "--count", "2", "--json")
        events = [json.loads(row) for row in done.out.splitlines()]

        assert {event["actor"] for event in events} == {"agent:ada", "agent:bo"}
        assert await demo.interrupt() == 0


async def test_demo_beside_another_takes_a_place_of_its_own(nobody: Daemon) -> None:
    """Without a directory of its own it would disturb the one that runs."""
    first = nobody
    async with following(first, "serve", "--demo", *FREE, variables={}) as one:
        shown = [await one.line() for _ in range(10)]
        async with following(first, "serve", "--demo", *FREE, variables={}) as two:
            beside = [await two.line() for _ in range(10)]
            folder = Path(beside[0].partition(", data in ")[2])

            assert shown[-1].endswith("tail")
            assert beside[-1].endswith(f"tail --data-dir {folder}")
            assert folder.name.startswith("hubbub-demo-")
            assert await two.interrupt() == 0
        assert not await asyncio.to_thread(folder.exists)
