"""A full disk under load: refused in each door's shape, reads go on, nothing told is lost."""

import asyncio
import itertools
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.clients.guests import Guests
from tests.clients.openclaw import send_params
from tests.clients.waiting import POLL_S, eventually
from tests.clients.x0x import b64
from tests.daemon import Daemon


FULL_S = float(os.environ.get("HUBBUB_TEST_FULL_DISK_S", "1"))
"""How long the disk stays full, in seconds."""

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="limits of another process: Linux only"),
    pytest.mark.timeout(120 + 4 * FULL_S),
]

Write = Callable[[str], Awaitable[Any]]
"""Writes something with a name; gives ``None`` if that was acknowledged, else the refusal."""


class Load:
    """Writes one thing after the other through one door, each once, as long as the test runs."""

    def __init__(self, door: str, write: Write) -> None:
        self.acknowledged: list[str] = []
        self.refusals: list[Any] = []
        self._door = door
        self._write = write
        self._names: Iterator[str] = (f"{door} {number}" for number in itertools.count())
        self._end = False

    async def run(self) -> None:
        """Write until told to end."""
        while not self._end:
            name = next(self._names)
            refusal = await self._write(name)
            if refusal is None:
                self.acknowledged.append(name)
            else:
                self.refusals.append(refusal)
            await asyncio.sleep(POLL_S)

    def end(self) -> None:
        """Stop after the write that is on its way."""
        self._end = True


async def loads(daemon: Daemon, guests: Guests) -> dict[str, Load]:
    """Make a writer for each door."""
    rpc, x0x, issues = (
        await guests.rpc(daemon),
        await guests.x0x(daemon),
        await guests.crosslink(daemon),
    )
    car, claw = await guests.car(daemon), await guests.openclaw(daemon)

    async def on_rpc(name: str) -> Any:
        answer = await rpc.answer("topics.publish", {"topic": "told", "data": name})
        return answer.get("error")

    async def on_x0x(name: str) -> Any:
        answer = await x0x.post("/publish", {"topic": "told/x0x", "payload": b64(name)})
        return None if answer.status == 200 else (answer.status, answer.body)

    async def on_crosslink(name: str) -> Any:
        answer = await issues.post("/api/v1/issues", {"title": name})
        return None if answer.status == 200 else (answer.status, answer.body)

    async def on_car(name: str) -> Any:
        params = {"intent": name, "agent_id": "worker", "on_disconnect": "continue"}
        return (await car.answer("runs.start", params)).get("error")

    async def on_claw(name: str) -> Any:
        answer = await claw.answer("chat.send", send_params(name, name))
        return answer.get("error")

    writes = {"rpc": on_rpc, "x0x": on_x0x, "crosslink": on_crosslink}
    writes |= {"car": on_car, "openclaw": on_claw}
    return {door: Load(door, write) for door, write in writes.items()}


async def test_full_disk_under_load(daemon: Daemon, guests: Guests) -> None:
    """Writes fail clearly, reads go on, `/readyz` is 503; then service returns by itself."""
    writers = await loads(daemon, guests)
    reader, web = await guests.rpc(daemon), await guests.hubbub(daemon)
    tasks = [asyncio.create_task(load.run()) for load in writers.values()]

    async def all_have(of: Callable[[Load], list[Any]], more_than: dict[str, int]) -> bool:
        return all(len(of(load)) > more_than.get(door, 5) for door, load in writers.items())

    await eventually(lambda: all_have(lambda load: load.acknowledged, {}), what="writes")
    limits = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (1, limits[1]))
    full_until = time.monotonic() + FULL_S
    await eventually(lambda: all_have(lambda load: load.refusals, {}), what="refusals")
    while True:
        assert (await web.get("/readyz")).status == 503
        assert (await web.get("/healthz")).status == 200
        assert (await reader.call("journal.read", {"topics": ["told"], "limit": 5}))["events"]
        assert (await reader.call("issues.list", {}))["issues"]
        assert await reader.call("runs.list", {"agent": "worker"})
        if time.monotonic() > full_until:
            break
        await asyncio.sleep(POLL_S * 5)
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, limits)

    async def ready() -> bool:
        return (await web.get("/readyz")).status == 200

    await eventually(ready, what="readiness")
    before = {door: len(load.acknowledged) for door, load in writers.items()}
    await eventually(lambda: all_have(lambda load: load.acknowledged, before), what="service")
    for load in writers.values():
        load.end()
    await asyncio.gather(*tasks)

    refusals = {door: load.refusals[0] for door, load in writers.items()}
    assert "cannot write" in str(refusals)
    assert refusals["rpc"]["data"] == {"code": "store_unavailable", "retryable": True}
    assert (refusals["x0x"][0], refusals["x0x"][1]["ok"]) == (503, False)
    assert (refusals["crosslink"][0], refusals["crosslink"][1]["error"]) == (
        503,
        "store unavailable",
    )
    assert set(refusals["car"]) >= {"code", "message"}
    assert (refusals["openclaw"]["code"], refusals["openclaw"]["retryable"]) == (
        "UNAVAILABLE",
        True,
    )
    await restarted_has_everything(daemon, guests, writers)


async def restarted_has_everything(
    daemon: Daemon, guests: Guests, writers: dict[str, Load]
) -> None:
    """Look, on a daemon that has only the disk to go by, for all that was acknowledged."""
    daemon.kill()
    await daemon.start()
    rpc = await guests.rpc(daemon)
    journal = str(await rpc.journal(topics=["*"]))
    for door in ("rpc", "car", "openclaw"):
        assert [name for name in writers[door].acknowledged if f"'{name}'" not in journal] == []
    kept = await rpc.journal(topics=["told/x0x"])
    assert len(kept) == len(writers["x0x"].acknowledged)
    titles = {issue["title"] for issue in (await rpc.call("issues.list", {}))["issues"]}
    assert titles >= set(writers["crosslink"].acknowledged)
