"""Work on runs, the same at every door that has them."""

import asyncio
from collections.abc import Iterator
from typing import Protocol

import msgspec

from hubbub.prove.desk import Ask, Desk, Reply
from hubbub.prove.doors.wire import asked_streams


class RunCalls(Protocol):
    """A door's calls on runs; each raises as ``Desk.ask`` wants it."""

    async def start(self, run_id: str) -> str:
        """Start a run under this id as its key, or come back to it; gives its id."""

    async def record(self, run_id: str, prompt: str, key: str) -> int:
        """Add a turn and give its index; refused once the run has ended."""

    async def complete(self, run_id: str, key: str) -> None:
        """End a run."""

    async def drop(self) -> None:
        """End the connection."""


class Habits(msgspec.Struct, frozen=True):
    """How careless a writer is."""

    drops: float = 0.0
    """Share of the turns before which it drops its connection."""
    leaves: float = 0.0
    """Share of the drops after which it leaves the run to its fate."""
    waits_s: float = 0.0
    """Seconds after which it comes back to the run, at most."""


CAREFUL = Habits()
CARELESS = Habits(drops=0.15, leaves=0.3, waits_s=0.5)
"""Comes back before or after the grace."""


async def work_on_runs(desk: Desk, calls: RunCalls, habits: Habits) -> None:
    """Start runs, add turns and end them, until it is time to stop."""
    while not desk.stopping.is_set():
        run_id = desk.mark()
        if not await _start(desk, calls, run_id):
            continue
        for _ in range(desk.random.randint(1, 4)):
            if desk.random.random() < habits.drops:
                await calls.drop()
                if desk.random.random() < habits.leaves:
                    break
                await asyncio.sleep(desk.random.uniform(0, habits.waits_s))
                await _start(desk, calls, run_id)
            if not await _record(desk, calls, run_id):
                break
        else:
            await _complete(desk, calls, run_id)


async def _start(desk: Desk, calls: RunCalls, run_id: str) -> bool:
    topic = f"runs/{run_id}"
    ask = Ask(
        verb="run.start",
        op=f"{topic} run.started",
        stream=topic,
        reads=("event", "run"),
        key=run_id,
    )

    async def call() -> Reply:
        return Reply(value=await calls.start(run_id))

    reply = await desk.ask(ask, call)
    await desk.pause()
    return reply is not None


async def _record(desk: Desk, calls: RunCalls, run_id: str) -> bool:
    prompt, topic = desk.mark(), f"runs/{run_id}"
    ask = Ask(
        verb="run.record",
        op=turn_label(topic, prompt),
        stream=topic,
        reads=("event", "trace"),
        key=prompt,
    )

    async def call() -> Reply:
        return Reply(value=str(await calls.record(run_id, prompt, prompt)))

    reply = await desk.ask(ask, call)
    await desk.pause()
    return reply is not None


async def _complete(desk: Desk, calls: RunCalls, run_id: str) -> None:
    key, topic = desk.mark(), f"runs/{run_id}"

    async def call() -> Reply:
        await calls.complete(run_id, key)
        return Reply()

    await desk.ask(Ask(verb="run.complete", op=f"{topic} run.ended", stream=topic, key=key), call)
    await desk.pause()


def turn_label(topic: str, prompt: str) -> str:
    """Give the label of a turn, by which its prompt names it."""
    return f"{topic} run.turn {prompt}"


def asked_runs(desk: Desk) -> Iterator[str]:
    """Give the ids of the runs that writers of this door wanted to start."""
    return (topic.removeprefix("runs/") for topic in asked_streams(desk, "run.start"))
