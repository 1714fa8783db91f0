"""Two agents that talk, for newcomers: real clients of hubbub's own door, over loopback.

They share one small piece of work, again and again: one finds something to do, the other takes
the issue, works on it in a run and reports. Where a person comes in between, they leave it to them.
Each says what led to what it does, so that a thanks
can be followed back to the first remark. Meanwhile both answer whoever writes to them. All of it
can be watched on the page, or with `hubbub tail`.
"""

import asyncio
import contextlib
import itertools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from hubbub.client import AsyncClient, Refused, Turn


PACE_S = 1.0
"""Seconds between two things that happen."""
WORD_S = 0.15
"""Seconds between two words of an answer."""
TOPIC = "lobby"
"""Where they talk."""


class Chore(msgspec.Struct, frozen=True):
    """One piece of work."""

    title: str
    place: str
    """Where it is; also its label."""
    found: str
    """What is seen there."""
    done: str
    """What comes of it."""


CHORES = (
    Chore("The tea is always cold", "kitchen", "41 °C", "Keep the kettle closer to the window."),
    Chore("Nobody knows the blue lamp", "hall", "it glows", "It means that somebody is listening."),
    Chore("The plants need names", "garden", "two plants", "I called the tall one Ada, after you."),
    Chore("The door squeaks", "hall", "a dry hinge", "A drop of oil; it only sighs now."),
)

Pause = Callable[[float], Awaitable[None]]


class Agent:
    """One agent, connected by the Python client."""

    def __init__(self, client: AsyncClient, pause: Pause) -> None:
        """Speak through a client."""
        self._client = client
        self._pause = pause

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method, after a pause in which people can read.

        Raises:
            ClientError: The daemon refused or has gone.
        """
        await self._pause(PACE_S)
        return await self._client.call(method, params)

    async def say(self, text: str, **why: str) -> Any:
        """Say something where everyone hears it."""
        return await self.call("topics.publish", topic=TOPIC, data={"text": text}, **why)

    async def answer(self, turn: Turn) -> str:
        """Look at the open issues, and say word by word what there is to do."""
        look = {"toolCallId": turn.run_id, "name": "issues.ready"}
        await turn.tool({"phase": "start", **look, "args": {}})
        ready = (await self._client.issues.ready()).issues
        await turn.tool({"phase": "result", **look, "result": len(ready)})
        there = f"“{ready[0].title}” comes next" if ready else "nothing waits"
        for word in f"You said “{turn.message[:80]}”, so I looked at the list: {there}.".split():
            await turn.say(word + " ")
            await self._pause(WORD_S)
        return "Claim it under Work, if you like."

    async def did(self, run: dict[str, Any], **turn: Any) -> None:
        """Note in a run what was done."""
        await self.call("runs.record_turns", run_id=run["run_id"], turns=[turn])


async def talk(
    url: str,
    token: str,
    *,
    tls: ssl.SSLContext | None = None,
    pause: Pause = asyncio.sleep,
) -> None:
    """Let the agents talk until cancelled, or until the daemon goes.

    Args:
        url: Address of hubbub's own listener.
        token: The operator's.
        tls: What knows the daemon's certificate, where it speaks TLS.
        pause: Waits for some seconds; a test does not.
    """
    async with (
        _client(url, token, "ada", tls) as as_ada,
        _client(url, token, "bo", tls) as as_bo,
        asyncio.TaskGroup() as tasks,
    ):
        ada, bo = Agent(as_ada, pause), Agent(as_bo, pause)
        tasks.create_task(as_ada.take_turns(ada.answer))
        tasks.create_task(as_bo.take_turns(bo.answer))
        for chore in itertools.cycle(CHORES):
            try:
                issue, follow_up = await _find(ada, chore)
                await _mend(bo, chore, issue)
                await _thank(ada, issue, follow_up)
            except Refused as refused:  # somebody has claimed, closed or deleted it meanwhile
                await bo.say(f"I leave that to you: {refused}.")


async def _find(ada: Agent, chore: Chore) -> tuple[int, int]:
    """Notice something, look into it, and write it down, with what is to be done afterwards."""
    said = await ada.say(f"I noticed something: {chore.title.lower()}.")
    async with _run(ada, f"Look into the {chore.place}", said["id"]) as run:
        in_run = f"runs/{run['run_id']}"
        await ada.did(run, tool="look", parameters={"place": chore.place}, output=chore.found)
        issue = await ada.call("issues.create", title=chore.title, priority="high", cause=in_run)
        await ada.call("issues.label", id=issue["id"], label=chore.place, cause=in_run)
        title = f"Tell everyone about the {chore.place}"
        follow_up = await ada.call("issues.create", title=title, priority="low", cause=in_run)
        await ada.call("issues.block", id=follow_up["id"], blocker_id=issue["id"], cause=in_run)
        outcome = {"status": "success", "summary": f"Written down as number {issue['id']}."}
        await ada.call("runs.complete", run_id=run["run_id"], outcome=outcome)
    return issue["id"], follow_up["id"]


async def _mend(bo: Agent, chore: Chore, issue: int) -> None:
    """Take an issue and its place, work on it in a run, and give both back."""
    await bo.say(f"Leave number {issue} to me.", cause=f"issues/{issue}")
    lock = await bo.call("locks.claim", issue_id=issue, cause=f"issues/{issue}")
    try:
        await bo.call("agents.heartbeat", active_issue_id=issue)
        async with _run(bo, chore.title, f"locks/{issue}") as run:
            await _work(bo, chore, run, issue, lock["fence"])
    except Refused:
        with contextlib.suppress(Refused):  # it may be the lock that is gone
            await bo.call("locks.release", issue_id=issue, fence=lock["fence"])
        raise
    await bo.say(chore.done, cause=f"runs/{run['run_id']}")


async def _work(bo: Agent, chore: Chore, run: dict[str, Any], issue: int, fence: int) -> None:
    """Do what is to be done, under a lock."""
    in_run = f"runs/{run['run_id']}"
    place = await bo.call("reservations.claim", paths=[f"{chore.place}/**"], cause=in_run)
    await bo.did(run, prompt=chore.title, tool="walk", parameters={"to": chore.place}, output="ok")
    ask = {"session": "agent:ada:main", "message": f"I am in the {chore.place}. What is next?"}
    await bo.call("chat.send", **ask, idempotency_key=f"chat-{run['run_id']}", cause=in_run)
    await bo.did(run, tool="mend", parameters={"what": chore.found}, output={"text": chore.done})
    outcome = {"status": "success", "summary": chore.done}
    await bo.call("runs.complete", run_id=run["run_id"], outcome=outcome)
    await bo.call("issues.close", id=issue, fence=fence, cause=in_run)
    await bo.call("reservations.release", id=place["id"], cause=in_run)
    await bo.call("locks.release", issue_id=issue, fence=fence, cause=in_run)


async def _thank(ada: Agent, issue: int, follow_up: int) -> None:
    """Do what was waiting for the work."""
    await ada.say("Thank you! I will tell everyone.", cause=f"issues/{issue}")
    await ada.call("issues.close", id=follow_up, cause=f"issues/{issue}")


@asynccontextmanager
async def _run(agent: Agent, intent: str, cause: str) -> AsyncIterator[dict[str, Any]]:
    """Give a run; where something in it is refused it ends as a failure, if it has no end yet."""
    run = await agent.call("runs.start", intent=intent, cause=cause)
    try:
        yield run
    except Refused as refused:
        outcome = {"status": "failure", "summary": str(refused)}
        await agent.call("runs.complete", run_id=run["run_id"], outcome=outcome)
        raise


@asynccontextmanager
async def _client(
    url: str, operator: str, name: str, tls: ssl.SSLContext | None
) -> AsyncIterator[AsyncClient]:
    """Make a token for an agent and connect with it."""
    async with AsyncClient(url, operator, tls=tls) as client:
        token = (await client.tokens.create(name)).token
    async with AsyncClient(url, token, agent=name, tls=tls) as client:
        yield client
