"""`hubbub tail`: follows, comes back after a restart, and says what was lost."""

import json

from tests.cli.commands import following
from tests.cli.commands import hubbub as run
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import Daemon


async def publish(daemon: Daemon, *numbers: int) -> None:
    """Publish numbers on a topic."""
    for number in numbers:
        done = await run(daemon, "publish", "t", str(number))
        assert done.code == 0, done.err


async def test_tail_shows_events_as_lines(daemon: Daemon) -> None:
    """Time, topic, kind, who and data; Ctrl-C is the way to end it, and no failure."""
    async with following(daemon, "tail", "t", "--all") as tail:
        await publish(daemon, 7)
        line = await tail.line()

        assert line.split("  ")[1:] == ["t", "message", "operator", "7"]
        assert await tail.interrupt() == 0
        assert tail.said() == ""


async def test_tail_takes_up_where_it_left_off_after_a_crash(daemon: Daemon) -> None:
    """No event is missing and none comes twice, though the daemon died and has other ports."""
    await publish(daemon, 1)
    async with following(daemon, "tail", "t", "--all", "--json") as tail:
        first = json.loads(await tail.line())
        daemon.kill()
        await daemon.start()
        await publish(daemon, 2, 3)
        more = [json.loads(await tail.line()) for _ in range(2)]

        assert [event["data"] for event in (first, *more)] == [1, 2, 3]
        assert "waiting for it" in tail.said()
        assert "connected again; nothing was missed" in tail.said()


async def test_tail_says_that_a_past_is_gone(start_daemon: StartDaemon) -> None:
    """A store in memory begins anew; the follower is told before it goes on."""
    daemon = await start_daemon(args=["--ephemeral"])
    await publish(daemon, 1)
    async with following(daemon, "tail", "t", "--all", "--json") as tail:
        await tail.line()
        await daemon.restart()
        await publish(daemon, 2)

        assert json.loads(await tail.line())["data"] == 2
        assert "earlier events are gone (epoch_changed)" in tail.said()


async def test_tail_across_what_retention_has_cut_is_told_so(start_daemon: StartDaemon) -> None:
    """The cursor is of this journal, but what followed it is kept no longer."""
    config = '[store]\nretention_interval_s = 0.05\n[store.topics."t"]\nretention_bytes = 2\n'
    daemon = await start_daemon(config)
    cursor = (await run(daemon, "publish", "t", "1", "--json")).json["cursor"]
    await run(daemon, "publish", "other", "1")
    await publish(daemon, 2, 3, 4)

    async def cut() -> bool:
        kept = await run(daemon, "tail", "t", "--after", cursor, "--count", "1", "--json")
        return bool(kept.json["data"] == 3)

    await eventually(cut, what="the cut")
    done = await run(daemon, "tail", "t", "--after", cursor, "--count", "2", "--json")
    other = await run(daemon, "tail", "other", "--after", cursor, "--count", "1", "--json")

    assert "earlier events are gone (retention)" in done.err
    assert [json.loads(line)["data"] for line in done.out.splitlines()] == [3, 4]
    assert (other.json["data"], other.err) == (1, "")


async def test_tail_from_a_cursor_begins_after_it(daemon: Daemon) -> None:
    """The cursor of a line of `--json`, or of `publish`."""
    cursor = (await run(daemon, "publish", "t", "1", "--json")).json["cursor"]
    await publish(daemon, 2)

    done = await run(daemon, "tail", "--after", cursor, "--count", "1", "--json")

    assert done.json["data"] == 2


async def test_tail_from_what_is_no_cursor_is_refused(daemon: Daemon) -> None:
    """Not repeated for ever: the daemon's words, exit code 1."""
    done = await run(daemon, "tail", "--after", "yesterday")

    assert done.code == 1
    assert "'yesterday' is not a cursor" in done.err


async def test_tail_that_lost_its_daemon_waits_quietly(daemon: Daemon) -> None:
    """One line about it, however often it tries."""
    await publish(daemon, 1)
    async with following(daemon, "tail", "--all") as tail:
        await tail.line()
        daemon.kill()

        async def told() -> bool:
            return "waiting for it" in tail.said()

        await eventually(told, what="the news that the daemon is gone")
        assert await tail.interrupt() == 0
        assert tail.said().count("waiting for it") == 1
