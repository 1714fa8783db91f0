"""The programs in README and docs/client.md run as they stand there, against `hubbub serve`."""

import ast
from pathlib import Path

import pytest

from hubbub.client import AsyncClient
from tests.client.programs import program, programs, running
from tests.clients.waiting import eventually
from tests.daemon import Daemon


README = "README.md"
PAGE = "docs/client.md"
MOST_LINES = 15


async def attached(client: AsyncClient, agent: str) -> None:
    """Wait until an agent takes turns: one that does not answers with an error."""

    async def here() -> bool:
        known = (await client.agents.list()).agents
        return any(one.agent == agent and one.connected for one in known)

    await eventually(here, what=f"{agent} being here")


async def answer(client: AsyncClient, session: str, message: str) -> str:
    """Write to an agent until it is attached, and give its answer."""

    async def said() -> str:
        try:
            return "".join([piece async for piece in client.chat.ask(session, message)])
        except Exception as error:
            if "is not attached" in str(error):
                return ""
            raise

    return await eventually(said, what="the answer")


async def test_parrot_of_the_readme_takes_turns(daemon: Daemon, tmp_path: Path) -> None:
    """Whoever writes to it is answered, again and again; it has nothing to complain about."""
    async with (
        running(program(README, "# parrot.py"), daemon, tmp_path) as parrot,
        AsyncClient(data_dir=daemon.data_dir) as person,
    ):
        await attached(person, "parrot")
        session = "agent:parrot:main"
        assert await answer(person, session, "tea?") == "You said: tea?"
        assert await answer(person, session, "really") == "You said: really"
        parrot.check()


async def test_worker_of_the_readme_works_on_what_is_ready(daemon: Daemon, tmp_path: Path) -> None:
    """Done, recorded, closed, released; what another agent has is left alone, and named."""
    async with AsyncClient(data_dir=daemon.data_dir) as person:
        mine = await person.issues.create("Tea")
        theirs = await person.issues.create("Cake")
        await person.locks.claim(theirs.id, agent="ann")
        async with running(program(README, "# worker.py"), daemon, tmp_path) as worker:
            told = await worker.ended()

        assert told.startswith(f"{theirs.id} is ann's until ")
        assert (await person.issues.get(mine.id)).status == "closed"
        assert (await person.issues.get(theirs.id)).status == "open"
        assert [lock.issue_id for lock in (await person.locks.list()).locks] == [theirs.id]
        (run,) = (await person.runs.list(agent="worker")).runs
        assert (run.intent, run.status, run.turn_count) == ("Tea", "completed", 1)


async def test_watcher_of_the_readme_sees_what_happens(daemon: Daemon, tmp_path: Path) -> None:
    """Also what happens after the daemon was killed and came back."""
    async with (
        running(program(README, "# watcher.py"), daemon, tmp_path) as watcher,
        AsyncClient(data_dir=daemon.data_dir) as person,
    ):

        async def follows() -> bool:
            return (await person.system.status()).subscribers >= 1

        await eventually(follows, what="the watcher's subscription")
        await person.issues.create("Tea")
        first = await watcher.line()
        daemon.kill()
        await daemon.start()
        await person.issues.create("Cake")
        second = await watcher.line()

        assert [line.split()[1:3] for line in (first, second)] == [
            ["issues/1", "issue.changed"],
            ["issues/2", "issue.changed"],
        ]
        watcher.check()


async def test_first_programs_of_the_page(daemon: Daemon, tmp_path: Path) -> None:
    """With and without an event loop: both print the state of the issue that they opened."""
    for text in programs(PAGE)[:2]:
        async with running(text, daemon, tmp_path) as first:
            assert await first.ended() == "open\n"


async def test_follower_of_the_page_goes_on_from_its_file(daemon: Daemon, tmp_path: Path) -> None:
    """It prints what came after the cursor that it has kept, and keeps the next."""
    async with AsyncClient(data_dir=daemon.data_dir) as person:
        published = await person.topics.publish("t", 1)
        (tmp_path / "cursor").write_text(published.cursor)
        await person.issues.create("Tea")
        async with running(program(PAGE, 'open("cursor")'), daemon, tmp_path) as follower:
            assert (await follower.line()).startswith("issues/1 issue.changed")

            async def kept() -> bool:
                return (tmp_path / "cursor").read_text() > published.cursor

            await eventually(kept, what="the next cursor")


async def test_shouter_of_the_page_takes_turns(daemon: Daemon, tmp_path: Path) -> None:
    """An agent with an event loop."""
    async with (
        running(program(PAGE, "shouter"), daemon, tmp_path) as shouter,
        AsyncClient(data_dir=daemon.data_dir) as person,
    ):
        await attached(person, "shouter")
        assert await answer(person, "agent:shouter:main", "more tea") == "MORE TEA !"
        shouter.check()


@pytest.mark.parametrize("text", programs(README))
def test_examples_are_short(text: str) -> None:
    """Fifteen lines of code at most."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]

    assert len(lines) <= MOST_LINES
    ast.parse(text)
