"""A client whose daemon is killed and restarted, again and again, misses and doubles nothing."""

import asyncio

import pytest

from hubbub.client import AsyncClient, Backoff, Client
from tests.clients.waiting import PATIENCE_S, eventually
from tests.daemon import Daemon


ROUNDS = 10
PACE = 20
"""Events that are written, at least, between a start and the next kill."""


async def write(client: AsyncClient, wanted: asyncio.Event, written: list[int]) -> None:
    """Publish numbers, one after the other, until they are enough."""
    while not wanted.is_set():
        await client.topics.publish("numbers", len(written))
        written.append(len(written))


def read_all(client: Client, count: int, after: str) -> list[int]:
    """Follow without an event loop."""
    found: list[int] = []
    for event in client.topics.follow("numbers", after=after):
        found.append(event.data)
        if len(found) == count:
            return found
    return found


@pytest.mark.timeout(180)
async def test_daemon_that_is_killed_ten_times(daemon: Daemon) -> None:
    """Every number is told to each follower once and in order, and is in the journal once."""
    quick = Backoff(first_s=0.01, cap_s=0.2)
    written: list[int] = []
    heard: list[int] = []
    enough = asyncio.Event()
    async with (
        AsyncClient(data_dir=daemon.data_dir, backoff=quick, timeout_s=PATIENCE_S * 4) as writer,
        AsyncClient(data_dir=daemon.data_dir, backoff=quick) as reader,
    ):
        start = (await reader.system.ping()).position
        following = await reader.topics.follow("numbers").ready()
        writing = asyncio.create_task(write(writer, enough, written))

        async def listen() -> None:
            async for event in following:
                heard.append(event.data)  # noqa: PERF401 one by one, for who looks meanwhile

        listening = asyncio.create_task(listen())
        for _ in range(ROUNDS):
            goal = len(written) + PACE

            async def progress(goal: int = goal) -> bool:
                return len(written) >= goal

            await eventually(progress, what="what is written between two kills")
            daemon.kill()
            await daemon.start()
        enough.set()
        await writing

        async def all_heard() -> bool:
            return len(heard) >= len(written)

        await eventually(all_heard, what="everything being heard")
        listening.cancel()
        with Client(data_dir=daemon.data_dir) as late:
            again = await asyncio.to_thread(read_all, late, len(written), start.cursor)
        stored: list[int] = []
        after = start
        more = True
        while more:
            page = await reader.journal.read(topics=["numbers"], after=after, limit=1000)
            stored += [event.data for event in page.events]
            after, more = page.position, page.more

    assert len(written) >= ROUNDS * PACE
    assert written == list(range(len(written))) == heard == again == stored
