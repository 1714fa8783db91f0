"""One data directory under siege: many lives of a daemon, and what must hold after each."""

import asyncio
import contextlib
import itertools
import random
from collections import Counter
from typing import Any

from tests.blackbox.watchers import RpcWatcher, SseWatcher, Watcher
from tests.blackbox.writers import GONE, WRITERS, Ledger, Step, Writer, count_effects
from tests.clients.guests import Guests
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.daemon import Daemon


class Siege:
    """Writers, watchers and what they know, over as many lives as the test wants."""

    def __init__(self, daemon: Daemon, *, seed: int) -> None:
        self.daemon = daemon
        self.random = random.Random(seed)
        self.ledger = Ledger()
        self.writers: list[Writer] = [make(self.ledger) for make in WRITERS]
        self.watchers: list[Watcher] = [RpcWatcher(), SseWatcher()]
        self.journal: list[dict[str, Any]] = []
        self._titles: dict[int, str] = {}
        self._numbers = itertools.count()

    async def life(self, *, kill_after_s: float | None = None) -> None:
        """Let everyone work until the daemon is dead, by our hand or by its crash point."""
        async with Guests() as guests:
            with contextlib.suppress(*GONE):
                for watcher in self.watchers:
                    await watcher.connect(guests, self.daemon)
                for writer in self.writers:
                    await writer.connect(guests, self.daemon)
                await self._work(kill_after_s)
        await self.daemon.wait_for_end(expected_code=-9)

    async def _work(self, kill_after_s: float | None) -> None:
        async with asyncio.TaskGroup() as group:
            for writer in self.writers:
                group.create_task(self._write(writer))
            for watcher in self.watchers:
                group.create_task(_follow(watcher))
            if kill_after_s is not None:
                await asyncio.sleep(kill_after_s)
                self.daemon.kill()

    async def _write(self, writer: Writer) -> None:
        with contextlib.suppress(*GONE):
            while True:
                await writer.write(f"{writer.name}-{next(self._numbers)}")

    async def heal(self) -> None:
        """Start again, retry what was not answered, catch up watching, then verify it all."""
        await self.daemon.start()
        async with Guests() as guests:
            for writer in self.writers:
                await writer.connect(guests, self.daemon)
                await self._retry(writer)
            rpc = await guests.rpc(self.daemon)
            await eventually(lambda: self._all_ended(rpc), what="an end of every chat run")
            self._verify_effects(count_effects(self.journal, self._titles))
            for watcher in self.watchers:
                await watcher.connect(guests, self.daemon)
            end = (await rpc.publish("seam/end", {}))["id"]
            for watcher in self.watchers:
                await watcher.until(end)
            await self._read_on(rpc)
            for watcher in self.watchers:
                watcher.verify(self.journal)

    async def verify_from_the_start(self) -> None:
        """Read the whole journal once more: what was read page by page is still what it holds."""
        async with Guests() as guests:
            rpc = await guests.rpc(self.daemon)
            assert (await rpc.journal())[: len(self.journal)] == self.journal

    async def _retry(self, writer: Writer) -> None:
        """Write the unanswered marks again, and one answered: the first answer must come."""
        if not writer.repeats:
            return
        own = [step for step in self.ledger.asked if step[1].startswith(f"{writer.name}-")]
        answered = [mark for verb, mark in own if (verb, mark) in self.ledger.answers]
        retried = [mark for verb, mark in own if (verb, mark) not in self.ledger.answers]
        if answered:
            retried.append(self.random.choice(answered))
        for mark in dict.fromkeys(retried):
            await writer.write(mark)

    async def _read_on(self, rpc: RpcSocket) -> None:
        """Read what the journal has gained, and the titles of new issues: they are marks."""
        last = self.journal[-1] if self.journal else None
        if last is None:
            self.journal = await rpc.journal()
        else:
            epoch = (await rpc.call("journal.read", {"limit": 1}))["position"]["epoch"]
            self.journal += await rpc.journal(after={"epoch": epoch, "seq": last["seq"]})
        changed = {e["data"]["issue_id"] for e in self.journal if e["kind"] == "issue.changed"}
        for issue in changed - self._titles.keys():
            self._titles[issue] = (await rpc.call("issues.get", {"id": issue}))["title"]

    async def _all_ended(self, rpc: RpcSocket) -> bool:
        """Tell whether each chat run that was ever answered for has come to an end."""
        await self._read_on(rpc)
        effects = count_effects(self.journal, self._titles)
        return all(effects[end] for end in self._ends())

    def _ends(self) -> list[Step]:
        chats = [step for step in self.ledger.answers if step[0].endswith("chat")]
        return [(verb.replace("chat", "end"), mark) for verb, mark in chats]

    def _verify_effects(self, effects: Counter[Step]) -> None:
        for step in self.ledger.asked:
            if step[0] not in {"turns", "abort"}:
                self._verify_step(step, effects[step])
        for end in self._ends():
            assert effects[end] == 1, f"{end} happened {effects[end]} times"
        for (verb, mark), answer in self.ledger.answers.items():
            if verb == "abort" and answer["aborted"]:
                assert effects["abort", mark] == 1, f"{mark} was told to be aborted and was not"
            if verb == "turns":
                wanted = answer.get("count", 0)
                assert effects["turn", mark] == wanted, f"{mark} was answered {answer}"

    def _verify_step(self, step: Step, count: int) -> None:
        if step in self.ledger.answers:
            answer = self.ledger.answers[step]
            assert count == 1, f"{step} was answered {answer} and happened {count} times"
        else:
            assert step in self.ledger.keyless, f"{step} was not answered, not even a retry"
            assert count <= 1, f"{step} was not answered and happened {count} times"


async def _follow(watcher: Watcher) -> None:
    with contextlib.suppress(*GONE):
        await watcher.follow()
