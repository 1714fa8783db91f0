"""A backup taken while agents write, and the same journal from it."""

import asyncio
import base64
import json
import os
import stat
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.cli.commands import HUBBUB
from tests.cli.commands import hubbub as run
from tests.clients.frames import Frame
from tests.clients.guests import Guests
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import Daemon


WRITERS = 3
"""Writers at each of the two doors."""


class Load:
    """Agents that write through two doors, and what they were told is stored."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, int]] = []
        """Topic and number of each acknowledged write."""
        self._ended = False

    async def through_rpc(self, guests: Guests, daemon: Daemon, writer: int) -> None:
        """Publish by WebSocket, each after the one before it is stored."""
        socket = await guests.rpc(daemon)
        await self._write(socket.publish, f"rpc-{writer}")

    async def through_x0x(self, guests: Guests, daemon: Daemon, writer: int) -> None:
        """Publish by REST."""
        client = await guests.x0x(daemon)
        await self._write(lambda topic, n: client.publish(topic, str(n)), f"x0x-{writer}")

    async def _write(self, publish: Any, topic: str) -> None:
        number = 0
        while not self._ended:
            await publish(topic, number)
            self.stored.append((topic, number))
            number += 1

    def end(self) -> None:
        """Let everyone finish what is on its way."""
        self._ended = True


@asynccontextmanager
async def load(guests: Guests, daemon: Daemon) -> AsyncIterator[Load]:
    """Let several writers work on both doors."""
    work = Load()
    async with asyncio.TaskGroup() as group:
        for writer in range(WRITERS):
            group.create_task(work.through_rpc(guests, daemon, writer))
            group.create_task(work.through_x0x(guests, daemon, writer))
        yield work
        work.end()


async def more(work: Load, count: int) -> None:
    """Wait until so many writes more are stored."""
    wanted = len(work.stored) + count

    async def enough() -> bool:
        return len(work.stored) >= wanted

    await eventually(enough, what=f"{wanted} writes")


def upto(events: list[Frame], seq: int) -> list[Frame]:
    """Give the events of a journal up to a place."""
    return [event for event in events if event["seq"] <= seq]


async def restored(start_daemon: StartDaemon, file: Path) -> Daemon:
    """Give a daemon in the place of another, from a backup."""
    other = await start_daemon()
    await other.stop()
    done = await run(other, "restore", str(file), "--force", "--json")
    assert done.code == 0, done.err
    await other.start()
    return other


async def test_backup_under_load_restores_to_the_same_journal(
    start_daemon: StartDaemon, guests: Guests, tmp_path: Path
) -> None:
    """Every event up to its position is identical, and what was stored before it began is in."""
    daemon = await start_daemon()
    file = tmp_path / "backup.tar"
    async with load(guests, daemon) as work:
        await more(work, 300)
        before = list(work.stored)
        made = await run(daemon, "backup", str(file), "--json")
        meanwhile = len(work.stored) - len(before)
        await more(work, 30)
    assert made.code == 0, made.err
    assert meanwhile > 0, "nobody wrote while the backup was made"
    seq = made.json["position"]["seq"]
    live = await (await guests.rpc(daemon)).journal()
    assert live[-1]["seq"] > seq

    other = await restored(start_daemon, file)
    client = await guests.rpc(other)
    kept = await client.journal()

    assert upto(kept, seq) == upto(live, seq)
    written = {(event["topic"], number(event)) for event in upto(kept, seq)}
    assert set(before) <= written
    assert other.token == daemon.token
    await client.publish("after", 1)
    assert (await client.journal(topics=["after"]))[0]["seq"] > seq


def number(event: Frame) -> int:
    """Read what a writer wrote, in either door's form."""
    data = event["data"]
    if isinstance(data, int):
        return data
    if isinstance(data, dict) and "payload" in data:
        return int(base64.b64decode(data["payload"]))
    return -1


async def test_restored_journal_never_passes_for_the_one_it_replaced(
    start_daemon: StartDaemon, guests: Guests, tmp_path: Path
) -> None:
    """Who saw no more than the backup goes on; who saw what is lost is told, and gets the new."""
    daemon = await start_daemon()
    client = await guests.rpc(daemon)
    for n in (1, 2, 3):
        await client.publish("t", n)
    saved = (await run(daemon, "backup", str(tmp_path / "b.tar"), "--json")).json["position"]
    lost = (await client.publish("t", "lost"))["position"]
    assert lost["seq"] == saved["seq"] + 1

    other = await restored(start_daemon, tmp_path / "b.tar")
    client = await guests.rpc(other)
    new = (await client.publish("t", "new"))["position"]
    assert new["epoch"] != saved["epoch"]
    for n in range(5):
        await client.publish("t", n)

    within = {"epoch": saved["epoch"], "seq": saved["seq"] - 1}
    follower = await guests.rpc(other)
    answer = await follower.subscribe("t", after=within)
    assert answer["recovered"] is True
    assert [event["data"] for event in await follower.events(3)] == [3, "new", 0]

    beyond = await guests.rpc(other)
    answer = await beyond.subscribe("t", after=lost)
    assert (answer["recovered"], answer["reason"]) == (False, "ahead")
    assert answer["position"] == {"epoch": new["epoch"], "seq": saved["seq"]}
    assert [event["data"] for event in await beyond.events(2)] == ["new", 0]

    page = await client.call("journal.read", {"topics": ["t"], "after": lost, "limit": 1})
    assert (page["recovered"], page["events"][0]["data"]) == (False, "new")
    page = await client.call("journal.read", {"topics": ["t"], "after": within, "limit": 1})
    assert (page.get("recovered", True), page["events"][0]["data"]) == (True, 3)
    then = await client.call("room.snapshot", {"at": within})
    assert then["position"] == {"epoch": new["epoch"], "seq": within["seq"]}
    refused = await client.fail("room.snapshot", {"at": lost})
    assert f"they go from 0 to {saved['seq']}" in refused["message"]


async def test_fences_of_a_restored_store_are_above_all_that_were_granted(
    start_daemon: StartDaemon, guests: Guests, tmp_path: Path
) -> None:
    """A number that was granted after the backup means nothing any more, also for a new issue."""
    daemon = await start_daemon()
    client = await guests.rpc(daemon, await daemon.agent_token("ann"))
    issue = (await client.call("issues.create", {"title": "a"}))["id"]
    await client.call("locks.claim", {"issue_id": issue})
    await client.call("reservations.claim", {"paths": ["a"], "reason": "r"})
    await run(daemon, "backup", str(tmp_path / "b.tar"))
    await client.call("locks.release", {"issue_id": issue})
    lost = await client.call("locks.claim", {"issue_id": issue})
    paths = await client.call("reservations.claim", {"paths": ["b"], "reason": "r"})
    later = (await client.call("issues.create", {"title": "b"}))["id"]
    on_later = await client.call("locks.claim", {"issue_id": later})

    other = await restored(start_daemon, tmp_path / "b.tar")
    client = await guests.rpc(other, await other.agent_token("ann"))
    again = (await client.call("issues.create", {"title": "c"}))["id"]

    refused = await client.outcome("issues.comment", comment(issue, lost["fence"]))
    assert refused == {"refused": "stale_fence"}
    assert again == later
    assert (await client.call("locks.claim", {"issue_id": again}))["fence"] > on_later["fence"]
    await client.call("locks.release", {"issue_id": issue})
    assert (await client.call("locks.claim", {"issue_id": issue}))["fence"] > lost["fence"]
    claimed = await client.call("reservations.claim", {"paths": ["c"], "reason": "r"})
    assert claimed["id"] > paths["id"]


def comment(issue: int, fence: int) -> dict[str, object]:
    """Make a comment under a lock."""
    return {"id": issue, "content": "x", "fence": fence}


async def test_backup_is_its_owners_alone_and_never_replaces_another(
    daemon: Daemon, tmp_path: Path
) -> None:
    """Mode 0600; a file that is there stays until --force; nothing else is left behind."""
    place = tmp_path / "backups"
    place.mkdir()
    file = place / "b.tar"

    first = await run(daemon, "backup", str(file))
    mode = stat.S_IMODE(file.stat().st_mode)
    content = file.read_bytes()
    second = await run(daemon, "backup", str(file))
    folder = await run(daemon, "backup", str(place))
    nowhere = await run(daemon, "backup", str(place / "no" / "b.tar"))

    assert first.code == 0
    assert "keep it as you keep a key" in first.out
    assert mode == 0o600
    assert second.code == folder.code == nowhere.code == 1
    assert "replace it with --force" in second.err
    assert "is a folder" in folder.err
    assert "make it first" in nowhere.err
    assert file.read_bytes() == content
    forced = await run(daemon, "backup", str(file), "--force")
    assert forced.code == 0
    assert [path.name for path in place.iterdir()] == ["b.tar"]


async def test_backup_of_a_stopped_or_killed_daemon_has_everything(
    daemon: Daemon, start_daemon: StartDaemon, guests: Guests, tmp_path: Path
) -> None:
    """What a killed daemon had stored and not yet moved into its file is in as well."""
    await run(daemon, "publish", "t", "1")
    daemon.kill()
    killed = await run(daemon, "backup", str(tmp_path / "killed.tar"), "--json")
    await daemon.start()
    await daemon.stop()
    stopped = await run(daemon, "backup", str(tmp_path / "stopped.tar"), "--json")

    assert (killed.code, stopped.code) == (0, 0)
    other = await restored(start_daemon, tmp_path / "killed.tar")
    assert [e["data"] for e in await (await guests.rpc(other)).journal(topics=["t"])] == [1]


async def test_backup_where_there_is_no_store_says_so(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    """A daemon that keeps its store in memory has nothing to save."""
    daemon = await start_daemon(args=["--ephemeral"])

    done = await run(daemon, "backup", str(tmp_path / "b.tar"))

    assert done.code == 1
    assert "there is no store" in done.err
    assert not (tmp_path / "b.tar").exists()


async def test_progress_is_shown_on_a_terminal_alone(daemon: Daemon, tmp_path: Path) -> None:
    """It goes to standard error, so that an answer can be piped."""
    ours, theirs = os.openpty()
    try:
        done = await asyncio.to_thread(
            subprocess.run,
            [*HUBBUB, "backup", str(tmp_path / "b.tar"), "--json"],
            stdout=subprocess.PIPE,
            stderr=theirs,
            env={**daemon.environment(), "HUBBUB_DATA_DIR": str(daemon.data_dir), "TERM": "xterm"},
            timeout=60,
            check=True,
        )
        shown = os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)

    assert "copying" in shown
    assert "100%" in shown
    assert json.loads(done.stdout)["file"] == str(tmp_path / "b.tar")
