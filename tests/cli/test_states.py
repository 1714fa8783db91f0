"""Commands towards daemons in unusual states: doors closed, files damaged, someone else there."""

import asyncio
import json
import socket
from pathlib import Path

import pytest

from tests.cli.commands import following
from tests.cli.commands import hubbub as run
from tests.clients.guests import Guests
from tests.conftest import StartDaemon
from tests.daemon import Daemon


@pytest.fixture
def nobody(tmp_path: Path) -> Daemon:
    """Give the place of a daemon that was never started."""
    return Daemon(tmp_path)


async def test_env_of_a_closed_door_says_how_to_open_it(start_daemon: StartDaemon) -> None:
    """Exit code 1, no exports that a shell would take; a door that is open is still shown."""
    daemon = await start_daemon(args=["--only", "car"])

    closed, opened = await run(daemon, "env", "x0x"), await run(daemon, "env", "car")

    assert (closed.code, closed.out) == (1, "")
    assert closed.err == (
        "hubbub: the x0x listener is not open; start the daemon with "
        "`hubbub serve --listen x0x=127.0.0.1:0`\n"
    )
    assert opened.code == 0


async def test_env_of_crosslink_names_url_and_token(daemon: Daemon) -> None:
    """Both under the names that its client reads."""
    shown = await run(daemon, "env", "crosslink", "--json")

    assert shown.json == {"CROSSLINK_URL": daemon.url("crosslink"), "CROSSLINK_TOKEN": daemon.token}


async def test_env_of_an_unknown_client_lists_the_known(nobody: Daemon) -> None:
    """Wrong use, exit code 2."""
    done = await run(nobody, "env", "irc")

    assert done.code == 2
    for dialect in ("x0x", "crosslink", "car", "openclaw"):
        assert dialect in done.err


async def test_doctor_tells_which_doors_are_closed(start_daemon: StartDaemon) -> None:
    """That is no fault, but the way to open them is shown."""
    daemon = await start_daemon(args=["--only", "car"])

    done = await run(daemon, "doctor")

    assert done.code == 0
    assert "ok   x0x: not open" in done.out
    assert "next: if you want it, restart with --listen x0x=127.0.0.1:0" in done.out


async def test_doctor_tells_a_killed_daemon_and_what_it_left(daemon: Daemon) -> None:
    """Nobody answers, the addresses are stale; the store it left is whole."""
    pid = daemon.pid
    daemon.kill()

    findings = (await run(daemon, "doctor", "--json")).json

    bad = {found["what"]: found for found in findings if not found["ok"]}
    assert f"(pid {pid}) does not answer" in bad["daemon"]["detail"]
    assert bad["daemon"]["fix"] == "`hubbub serve` starts one"
    assert f"(pid {pid})" in bad["listeners.json"]["detail"]
    assert all(found["fix"] for found in bad.values())
    (store,) = [found for found in findings if found["what"] == "store file"]
    assert store["ok"]


async def test_doctor_tells_that_the_token_is_another(daemon: Daemon) -> None:
    """The daemon runs and does not know us."""
    (daemon.data_dir / "api-token").write_text("f" * 64)

    findings = (await run(daemon, "doctor", "--json")).json

    (found,) = [found for found in findings if found["what"] == "daemon"]
    assert "this token is not known" in found["detail"]
    assert found["fix"].startswith("restart it: ")


async def test_doctor_tells_that_files_cannot_be_read(daemon: Daemon) -> None:
    """What is in the way is named, and who writes it anew."""
    await daemon.stop()
    (daemon.data_dir / "listeners.json").write_text("{")

    findings = (await run(daemon, "doctor", "--json")).json

    (found,) = [found for found in findings if found["what"] == "daemon"]
    assert "cannot read the files of the daemon" in found["detail"]
    assert found["fix"] == f"restart it; it writes the files in {daemon.data_dir} anew"


async def test_doctor_looks_at_the_settings_that_it_is_given(
    start_daemon: StartDaemon,
) -> None:
    """Agents by the environment of the daemon that runs, addresses where none does."""
    daemon = await start_daemon(
        '[agents.a]\nrunner = "command"\ncommand = ["no-such-agent"]\n'
        '[agents.b]\nrunner = "openai"\nbase_url = "http://127.0.0.1:1/v1"\nmodel = "m"\n'
        'api_key_env = "MODEL_KEY"\n',
        env={"MODEL_KEY": "secret"},
    )
    words = ("doctor", "--json", "--config", str(daemon.config_file))
    daemon.env.clear()
    running = (await run(daemon, *words)).json
    address = "{}:{}".format(*daemon.address("x0x"))
    await daemon.stop()
    with socket.create_server(daemon.address("x0x")):
        daemon.configure(daemon.config_file.read_text() + f'[listen]\nx0x = "{address}"\n')
        stopped = (await run(daemon, *words)).json

    bad = {found["what"]: found["detail"] for found in running if not found["ok"]}
    assert bad == {"agent a": "there is no program 'no-such-agent' that can be started"}
    bad = {found["what"]: found["detail"] for found in stopped if not found["ok"]}
    assert bad["agent b"] == "MODEL_KEY, which is to hold its key, is not set"
    assert bad["x0x"].startswith(f"{address} is taken by ")


async def test_status_shows_who_is_connected(daemon: Daemon, guests: Guests) -> None:
    """An agent with its state, the door that it came through, and when it was last heard."""
    await guests.rpc(daemon, await daemon.agent_token("bo"))

    done = await run(daemon, "status")

    (row,) = [line.split() for line in done.out.splitlines() if line.startswith("bo ")]
    assert row[:3] == ["bo", "active", "hubbub"]
    assert "last heard" in done.out


async def test_daemon_without_its_own_listener_cannot_be_asked(start_daemon: StartDaemon) -> None:
    """The commands say so, and how to start it with one."""
    daemon = await start_daemon(args=["--listen", "hubbub="])

    done = await run(daemon, "status")

    assert done.code == 1
    assert "runs without hubbub's own listener" in done.err
    assert "`hubbub serve --listen hubbub=127.0.0.1:0`" in done.err


async def test_damaged_files_are_named(nobody: Daemon) -> None:
    """A half-written description of the daemon is one line, not a traceback."""
    nobody.data_dir.mkdir()
    (nobody.data_dir / "listeners.json").write_text('{"pid": 1,')

    done = await run(nobody, "status")

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"hubbub: cannot read the files of the daemon in {nobody.data_dir}")
    assert len(done.err.splitlines()) == 1


async def test_someone_else_at_the_address_is_noticed(nobody: Daemon) -> None:
    """An answer that is not JSON is told with its status."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = "http://{}:{}".format(*server.sockets[0].getsockname())
        nobody.data_dir.mkdir()
        (nobody.data_dir / "api-token").write_text("x" * 64)
        (nobody.data_dir / "listeners.json").write_text(json.dumps({"pid": 1, "hubbub": url}))

        done = await run(nobody, "status")

    assert done.code == 1
    assert done.err == f"hubbub: {url} answered 200 Fine; is it hubbub?\n"


async def test_import_lists_its_sources_and_knows_no_others(nobody: Daemon) -> None:
    """Help is no failure; an unknown system is wrong use."""
    listed, unknown = await run(nobody, "import", "--help"), await run(nobody, "import", "irc")

    assert (listed.code, "clawdbot" in listed.out) == (0, True)
    assert (unknown.code, "No such command 'irc'" in unknown.err) == (2, True)


async def test_second_import_changes_nothing(daemon: Daemon, tmp_path: Path) -> None:
    """The first tells what is new; the second finds everything there already."""
    folder = tmp_path / "agents" / "main" / "sessions"
    folder.mkdir(parents=True)
    (folder / "sessions.json").write_text('{"agent:main:main": {"sessionId": "s1"}}')
    lines = [{"message": {"role": role, "content": role}} for role in ("user", "assistant")]
    (folder / "s1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    first = await run(daemon, "import", "clawdbot", str(tmp_path))
    second = await run(daemon, "import", "clawdbot", str(tmp_path), "--json")
    bad = await run(daemon, "import", "clawdbot", str(tmp_path / "nowhere"))

    assert (first.code, first.out) == (0, "sessions: 1, new: 1; new messages: 2\n")
    assert (second.json["created"], second.json["messages"]) == (0, 0)
    assert (bad.code, "does not exist" in bad.err) == (2, True)


async def test_follower_without_a_position_fails_when_nobody_is_there(daemon: Daemon) -> None:
    """It never saw the daemon, so there is nothing to wait for."""
    daemon.kill()

    done = await run(daemon, "tail")

    assert done.code == 1
    assert "does not answer" in done.err


async def test_follower_of_a_daemon_that_stops_waits_for_the_next(daemon: Daemon) -> None:
    """An orderly stop takes the daemon's files away; the follower finds the ones that come."""
    await run(daemon, "publish", "t", "1")
    async with following(daemon, "tail", "t", "--all") as tail:
        assert (await tail.line()).endswith("  1")
        await daemon.stop()
        await daemon.start()
        await run(daemon, "publish", "t", "2")

        assert (await tail.line()).endswith("  2")
        assert "connected again; nothing was missed" in tail.said()


async def test_listener_that_others_can_reach_needs_the_setting(nobody: Daemon) -> None:
    """The file's address is refused as the flag's is: exit code 2, nothing written."""
    nobody.configure('[listen]\nx0x = "0.0.0.0:0"\n')

    done = await run(nobody, "serve", "--config", str(nobody.config_file))

    assert done.code == 2
    assert "can be reached from other machines" in done.err
    assert not nobody.data_dir.exists()
