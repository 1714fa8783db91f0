"""Commands that talk to a running daemon: what they print, and how they fail."""

import json
from pathlib import Path

import pytest

import hubbub
from tests.cli.commands import following
from tests.cli.commands import hubbub as run
from tests.daemon import Daemon


@pytest.fixture
def nobody(tmp_path: Path) -> Daemon:
    """Give the place of a daemon that was never started."""
    return Daemon(tmp_path)


async def test_without_a_command_the_help_is_shown(nobody: Daemon) -> None:
    """It lists every command; nothing has failed."""
    done = await run(nobody)

    assert (done.code, done.err) == (0, "")
    for name in ("serve", "status", "doctor", "tail", "publish", "token", "env", "import"):
        assert f"\n  {name} " in done.out


async def test_version_is_the_packages(nobody: Daemon) -> None:
    """As text for people and as JSON for programs, and by the usual flag."""
    assert (await run(nobody, "version")).out == f"hubbub {hubbub.__version__}\n"
    assert (await run(nobody, "--version")).out == f"hubbub {hubbub.__version__}\n"
    assert (await run(nobody, "version", "--json")).json == {"version": hubbub.__version__}


@pytest.mark.parametrize(
    "words",
    ["status", "tail", "publish t 1", "token list", "token new --agent a", "env x0x"],
)
async def test_command_without_a_daemon_says_how_to_start_one(nobody: Daemon, words: str) -> None:
    """One line, exit code 1, no traceback."""
    done = await run(nobody, *words.split())

    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"hubbub: no daemon runs on {nobody.data_dir}; start one with `hubbub serve`\n"
    )


async def test_killed_daemon_is_told_from_one_that_runs(daemon: Daemon) -> None:
    """Its files are still there; the text names its pid and the way out."""
    pid = daemon.pid
    daemon.kill()

    done = await run(daemon, "status")

    assert done.code == 1
    assert f"(pid {pid}) does not answer" in done.err
    assert "`hubbub serve` starts one" in done.err


@pytest.mark.parametrize("words", ["", "--data-dir here", "--nonsense", "new"])
async def test_wrong_use_is_exit_code_2(nobody: Daemon, words: str) -> None:
    """Unknown and missing options lead to the usage line."""
    done = await run(nobody, "token", "new", *words.split())

    assert done.code == 2
    assert done.err.startswith("Usage: hubbub token new ")


async def test_status_shows_what_is_open_and_who_is_here(daemon: Daemon) -> None:
    """Addresses, readiness and agents, as table and as JSON."""
    token = await daemon.agent_token("bo")
    assert token
    done = await run(daemon, "status")
    shown = await run(daemon, "status", "--json")

    assert f"pid {daemon.pid}" in done.out
    assert "ready: yes" in done.out
    for door in ("hubbub", "x0x", "crosslink", "car", "openclaw"):
        assert daemon.url(door) in done.out
        assert shown.json["listeners"][door] == daemon.url(door)
    assert shown.json["ready"] is True
    assert shown.json["pid"] == daemon.pid


async def test_published_event_is_stored_once_per_key(daemon: Daemon) -> None:
    """JSON by default, text on request, from standard input too."""
    first = await run(daemon, "publish", "t", '{"a":1}', "--key", "k", "--json")
    again = await run(daemon, "publish", "t", '{"a":1}', "--key", "k", "--json")
    await run(daemon, "publish", "t", "not json", "--text", "--kind", "note")
    await run(daemon, "publish", "t", "-", stdin="[1, 2]")
    tail = await run(daemon, "tail", "t", "--all", "--count", "3", "--json")

    assert first.json == again.json
    events = [json.loads(line) for line in tail.out.splitlines()]
    assert [event["data"] for event in events] == [{"a": 1}, "not json", [1, 2]]
    assert events[1]["kind"] == "note"
    assert events[0]["cursor"] == first.json["cursor"]


async def test_data_that_is_no_json_says_how_to_write_it(daemon: Daemon) -> None:
    """A shell eats quotes; the text shows how to keep them."""
    done = await run(daemon, "publish", "t", "hello")

    assert done.code == 2
    assert "quote text twice, as '\"hello\"', or give --text" in done.err


async def test_refusal_of_the_daemon_is_shown(daemon: Daemon) -> None:
    """Its own words, exit code 1."""
    done = await run(daemon, "publish", "runs/1", "1")

    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "hubbub: topic 'runs/1' belongs to the daemon; publish under another name\n"
    )


async def test_token_is_shown_once_listed_and_revoked(daemon: Daemon) -> None:
    """The list has ids and scopes, never the token."""
    token = (await run(daemon, "token", "new", "--agent", "ann")).out.strip()
    await run(daemon, "token", "new", "--agent", "ann", "--scope", "read")
    listed = await run(daemon, "token", "list")
    rows = (await run(daemon, "token", "list", "--json")).json

    assert len(token) == 64
    assert token not in listed.out
    assert "ann" in listed.out
    assert [row["scopes"] for row in rows] == [["read", "write"], ["read"]]
    one = await run(daemon, "token", "revoke", rows[0]["id"])
    rest = await run(daemon, "token", "revoke", "ann", "--json")
    assert one.out == "1 revoked\n"
    assert rest.json == {"revoked": 1}
    gone = await run(daemon, "token", "revoke", "ann")
    assert (gone.code, gone.err) == (1, "hubbub: token ann not found\n")


async def test_env_points_each_client_here(daemon: Daemon) -> None:
    """Exports for a shell, and the same as JSON; another token where one is given."""
    car = await run(daemon, "env", "car")
    openclaw = (await run(daemon, "env", "openclaw", "--json")).json
    x0x = (await run(daemon, "env", "x0x", "--token", "it's", "--json")).json
    quoted = await run(daemon, "env", "crosslink", "--token", "it's")

    assert f"export CAR_DAEMON_URL={daemon.ws_url('car', '')}\n" in car.out
    assert f"export CAR_AUTH_TOKEN={daemon.token}\n" in car.out
    assert openclaw == {
        "CLAWDBOT_GATEWAY_PORT": str(daemon.address("openclaw")[1]),
        "CLAWDBOT_GATEWAY_TOKEN": daemon.token,
    }
    assert x0x == {"X0X_API_URL": daemon.url("x0x"), "X0X_API_TOKEN": "it's"}
    assert "export CROSSLINK_TOKEN='it'\"'\"'s'\n" in quoted.out


async def test_config_show_says_where_values_come_from(nobody: Daemon) -> None:
    """TOML that can be put into a file; origins as comments; JSON by key."""
    nobody.data_dir.mkdir()
    (nobody.data_dir / "config.toml").write_text('[agents."b o"]\n[store]\nreaders = 4\n')
    shown = await run(nobody, "config", "show", "--origin")
    plain = await run(nobody, "config", "show")
    values = (await run(nobody, "config", "show", "--json", "--origin")).json

    assert f"store.readers = 4  # {nobody.data_dir / 'config.toml'}:3\n" in shown.out
    assert 'listen.x0x = "127.0.0.1:12700"  # default\n' in shown.out
    assert 'agents."b o".runner = "echo"\n' in plain.out
    assert values["data_dir"]["origin"] == "variable HUBBUB_DATA_DIR"


async def test_config_show_of_one_setting_or_section(nobody: Daemon) -> None:
    """Its line alone, with its place; a section gives all of its own; a wrong name the nearest."""
    nobody.configure('[store]\nreaders = 4\n[agents."b o"]\nrunner = "echo"\n')
    file = str(nobody.config_file)

    one = await run(nobody, "config", "show", "store.readers", "--origin", "--config", file)
    named = await run(nobody, "config", "show", 'agents."b o".runner', "--origin", "--config", file)
    section = await run(nobody, "config", "show", "store", "--json")
    wrong = await run(nobody, "config", "show", "store.reader")
    unset = await run(nobody, "config", "show", "agents.nobody")

    assert one.out == f"store.readers = 4  # {file}:2\n"
    assert named.out == f'agents."b o".runner = "echo"  # {file}:4\n'
    assert section.json["store.retention_days"] == 7.0
    assert all(key.startswith("store.") for key in section.json)
    assert (wrong.code, unset.code) == (2, 2)
    assert "the nearest is 'store.readers'" in wrong.err
    assert "nothing is set under 'agents.nobody'" in unset.err


async def test_config_show_of_a_bad_file_is_a_usage_error(nobody: Daemon) -> None:
    """As `serve` would say it, with exit code 2."""
    nobody.configure("[store]\nreader = 4\n")

    done = await run(nobody, "config", "show", "--config", str(nobody.config_file))

    assert done.code == 2
    assert "the nearest is 'store.readers'" in done.err


async def test_doctor_finds_nothing_wrong_with_a_running_daemon(daemon: Daemon) -> None:
    """Every finding is fine, and the exit code says so."""
    done = await run(daemon, "doctor")

    assert done.code == 0
    assert "BAD" not in done.out
    assert daemon.url("car") in done.out


async def test_doctor_names_the_next_step_for_what_is_wrong(nobody: Daemon) -> None:
    """First the directory is missing; then it is open to others, its settings bad, nobody runs."""
    done = await run(nobody, "doctor")
    assert done.code == 1
    assert "next: hubbub serve\n" in done.out

    nobody.data_dir.mkdir(mode=0o755)
    (nobody.data_dir / "api-token").write_text("x")
    (nobody.data_dir / "api-token").chmod(0o644)
    (nobody.data_dir / "config.toml").write_text("stor = 1")
    findings = (await run(nobody, "doctor", "--json")).json

    bad = {found["what"]: found["fix"] for found in findings if not found["ok"]}
    assert bad["data directory"] == f"chmod 700 {nobody.data_dir}"
    assert bad["api-token"] == f"chmod 600 {nobody.data_dir / 'api-token'}"
    assert "docs/settings.md" in bad["settings"]
    assert bad["daemon"] == "start one with `hubbub serve`"


async def test_output_that_nobody_reads_is_no_error(daemon: Daemon) -> None:
    """`hubbub tail | head` ends without a complaint."""
    done = await run(daemon, "publish", "t", "1")
    assert done.code == 0
    async with following(daemon, "tail", "--all", "--json") as tail:
        await tail.line()
        tail.close_output()
        await run(daemon, "publish", "t", "2")

        assert await tail.end() == 1
        assert tail.said() == ""
