"""The demo's agents go on when a newcomer has a hand in their work."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from hubbub.client import AsyncClient, Refused
from hubbub.demo import talk
from tests.clients.waiting import PATIENCE_S
from tests.daemon import Daemon


Meddle = Callable[[AsyncClient], Awaitable[object]]


async def claim(person: AsyncClient) -> object:
    """Take the first issue before the agents can."""
    return await person.call("locks.claim", {"issue_id": 1, "agent": "ann"})


async def steal(person: AsyncClient) -> object:
    """Take the first issue from the agent that works on it."""
    held = await person.call("locks.list")
    assert held["locks"]
    return await person.call("locks.steal", {"issue_id": 1, "agent": "ann", "reason": "mine"})


async def delete(person: AsyncClient) -> object:
    """Do away with the first issue."""
    return await person.call("issues.delete", {"id": 1})


@pytest.mark.parametrize("meddle", [claim, steal, delete])
async def test_agents_leave_to_a_person_what_a_person_takes(daemon: Daemon, meddle: Meddle) -> None:
    """They say so, end what they have begun, and find something else to do."""
    async with AsyncClient(daemon.url("hubbub"), daemon.token) as person:
        done: list[object] = []

        async def pause(_seconds: float) -> None:
            if not done:
                with suppress(Refused, AssertionError):  # not there yet
                    done.append(await meddle(person))

        said = person.topics.follow("lobby")
        await said.ready()
        talking = asyncio.create_task(talk(daemon.url("hubbub"), daemon.token, pause=pause))
        async with asyncio.timeout(PATIENCE_S):
            texts: list[str] = []
            async for event in said:
                texts.append(event.data["text"])
                if any("leave that to you" in text for text in texts) and "Thank" in texts[-1]:
                    break
        # The pause may be in a call of its own; what it ends with then is not the question.
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)

        runs = (await person.call("runs.list"))["runs"]
        ended = [run for run in runs if run["status"] != "in_progress"]
        assert len(runs) - len(ended) <= 1  # the one that was cut off by the end of the test
        locks = (await person.call("locks.list"))["locks"]
        assert not [lock for lock in locks if lock["issue_id"] == 1 and lock["holder"] == "bo"]
