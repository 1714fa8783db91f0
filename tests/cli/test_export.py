"""Events out of one journal and into another."""

import json
import stat
from pathlib import Path
from typing import Any

from tests.cli.commands import hubbub as run
from tests.clients.guests import Guests
from tests.conftest import StartDaemon
from tests.daemon import Daemon


VALUES = ['{"a":1.10}', '"zwei\\u2028"', "[1,2]", "12345678901234567890", "null"]
"""What must come through byte for byte."""


async def exported(daemon: Daemon, *args: str) -> tuple[Any, list[Any]]:
    """Export to standard output: the header and the events."""
    done = await run(daemon, "export", *args)
    assert done.code == 0, done.err
    header, *events = map(json.loads, done.out.splitlines())
    return header, events


async def fill(daemon: Daemon, guests: Guests) -> None:
    """Publish through two doors and let a service write."""
    for value in VALUES:
        await run(daemon, "publish", "news", value, "--kind", "k")
    await (await guests.x0x(daemon)).publish("bytes", b"\x00\xff")
    client = await guests.rpc(daemon)
    await client.call("issues.create", {"title": "a"})


async def test_export_and_import_round_trip(
    start_daemon: StartDaemon, guests: Guests, tmp_path: Path
) -> None:
    """Topic, kind and data of what clients published arrive, in order; a repeat adds nothing."""
    source, target = await start_daemon(), await start_daemon()
    await fill(source, guests)
    file = tmp_path / "events.jsonl"

    done = await run(source, "export", str(file), "--json")
    first = await run(target, "import", "events", str(file), "--json")
    again = await run(target, "import", "events", str(file), "--json")

    lines = file.read_text().splitlines()
    assert done.json["events"] == len(lines) - 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f'"data":{VALUES[0]}' in lines[1]
    _, there = await exported(source, "--topics", "news,bytes")
    _, here = await exported(target, "--topics", "news,bytes")
    assert [(e["topic"], e["kind"], e["data"]) for e in here] == [
        (e["topic"], e["kind"], e["data"]) for e in there
    ]
    assert [e["cause"] for e in here] == [e["id"] for e in there]
    assert len(here) == len(VALUES) + 1
    assert first.json["published"] == len(here)
    assert first.json["present"] == 0
    assert first.json["skipped"]["issues/"] == 1
    assert (again.json["published"], again.json["present"]) == (0, len(here))
    text = await run(target, "import", "events", str(file))
    assert "passed over, because only the daemon itself writes there:" in text.out
    assert f"published by an earlier import: {len(here)}" in text.out


async def test_interrupted_import_goes_on_without_doubling(
    start_daemon: StartDaemon, guests: Guests, tmp_path: Path
) -> None:
    """A part that came before, on standard input, is found again."""
    source, target = await start_daemon(), await start_daemon()
    await fill(source, guests)
    done = await run(source, "export", "--topics", "news")
    part = "".join(done.out.splitlines(keepends=True)[:3])

    cut = await run(target, "import", "events", "-", "--json", stdin=part + '{"seq":3,"id')
    whole = await run(target, "import", "events", "-", "--json", stdin=done.out)

    assert (cut.code, cut.json["published"], cut.json["unreadable"]) == (1, 2, 1)
    assert (whole.code, whole.json["present"], whole.json["published"]) == (0, 2, 3)
    _, here = await exported(target, "--topics", "news")
    assert len(here) == len(VALUES)


async def test_header_says_what_the_file_is(daemon: Daemon) -> None:
    """Format, version, position; an export may begin after a cursor, and follows its topics."""
    cursors = [(await run(daemon, "publish", t, "1", "--json")).json["cursor"] for t in "aba"]

    header, events = await exported(daemon, "--topics", "a", "--after", cursors[0])

    assert (header["format"], header["version"]) == ("hubbub-events", 1)
    assert header["position"]["epoch"] == cursors[0].split(":")[0]
    assert (header["after"], header["topics"]) == (cursors[0], ["a"])
    assert [event["topic"] for event in events] == ["a"]


async def test_export_goes_by_pages_as_large_as_the_daemon_gives(
    start_daemon: StartDaemon,
) -> None:
    """A low `max_read_events` makes it slower, not wrong."""
    daemon = await start_daemon("[dialects.hubbub]\nmax_read_events = 3\n")
    for n in range(8):
        await run(daemon, "publish", "t", str(n))

    _, events = await exported(daemon, "--topics", "t")

    assert [event["data"] for event in events] == list(range(8))


async def test_export_refuses_what_it_cannot_do(daemon: Daemon, tmp_path: Path) -> None:
    """A file that is there, a place that is not, a cursor that is none: nothing is left behind."""
    (tmp_path / "there").mkdir()
    place = tmp_path / "there"
    (place / "file").write_text("mine")

    there = await run(daemon, "export", str(place / "file"))
    nowhere = await run(daemon, "export", str(place / "no" / "file"))
    cursor = await run(daemon, "export", str(place / "new"), "--after", "x")
    forced = await run(daemon, "export", str(place / "file"), "--force")

    assert (there.code, nowhere.code, cursor.code, forced.code) == (1, 1, 1, 0)
    assert "replace it with --force" in there.err
    assert "cannot write" in nowhere.err
    assert "'x' is not a cursor" in cursor.err
    assert [path.name for path in place.iterdir()] == ["file"]


async def test_export_says_when_events_are_kept_no_longer(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """What another journal's cursor asks for cannot be had."""
    daemon = await start_daemon()
    await run(daemon, "publish", "t", "1")

    done = await run(daemon, "export", "--after", "another:1")

    assert done.code == 0
    assert "are kept no longer" in done.err


async def test_import_refuses_what_it_cannot_do(daemon: Daemon, tmp_path: Path) -> None:
    """Another file, a newer one, and the journal's own events unless they are asked for."""
    await run(daemon, "publish", "t", "1")
    own = tmp_path / "own"
    await run(daemon, "export", str(own), "--topics", "t")
    (tmp_path / "other").write_text('{"seq":1}\n')
    (tmp_path / "newer").write_text(own.read_text().replace('"version":1', '"version":2'))

    other = await run(daemon, "import", "events", str(tmp_path / "other"))
    newer = await run(daemon, "import", "events", str(tmp_path / "newer"))
    itself = await run(daemon, "import", "events", str(own))
    again = await run(daemon, "import", "events", str(own), "--again", "--json")

    assert (other.code, newer.code, itself.code, again.code) == (1, 1, 1, 0)
    assert "does not begin as" in other.err
    assert "has version 2" in newer.err
    assert "--again publishes them all the same" in itself.err
    assert again.json["published"] == 1


async def test_import_goes_on_after_what_the_daemon_refuses(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    """Too large for this daemon, or too soon: the one is told, the other waited for."""
    source = await start_daemon()
    for data in ("1", json.dumps("x" * 2000), "3"):
        await run(source, "publish", "t", data)
    file = tmp_path / "e.jsonl"
    await run(source, "export", str(file), "--topics", "t")
    target = await start_daemon(
        "[dialects.hubbub]\nmax_message_bytes = 1000\n"
        "[limits]\nmessages_per_s = 50\nmessages_burst = 1\n"
    )

    done = await run(target, "import", "events", str(file))

    assert done.code == 1
    assert "published: 2 of 3 events" in done.out
    assert "refused 1: too_large" in done.err
