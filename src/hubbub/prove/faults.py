"""Carries out the schedule of faults, and puts everything right after each."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from msgspec import structs

from hubbub.prove.history import Fault, History
from hubbub.prove.process import Process
from hubbub.prove.proxy import Proxy
from hubbub.prove.schedule import FaultKind, Planned
from hubbub.prove.subject import Conditions


ALONE = frozenset(("kill", "stop", "full-disk"))
"""Kinds of which only one may be on: a process that starts cannot be stopped in a useful way,
and on a full disk none can start.
"""


class Faults:
    """What may be done to one daemon and the ways to it."""

    def __init__(self, process: Process, proxies: Sequence[Proxy], history: History) -> None:
        """Begin with a sound world."""
        self._process = process
        self._proxies = proxies
        self._history = history
        self._conditions = Conditions()
        self._process_is_free = asyncio.Lock()
        self.now: list[FaultKind] = []
        """The faults that are on, for whoever watches."""

    async def play(self, planned: Sequence[Planned]) -> None:
        """Carry out faults at their times, counted from the call; they may overlap."""
        began = self._history.now()
        async with asyncio.TaskGroup() as group:
            for fault in planned:
                group.create_task(self._inflict(fault, began + fault.at))

    async def _inflict(self, fault: Planned, at: float) -> None:
        """Let one fault happen, from its begin to its end."""
        await asyncio.sleep(at - self._history.now())
        alone = fault.kind in ALONE
        async with self._process_is_free if alone else contextlib.nullcontext():
            began = self._history.now()
            self.now.append(fault.kind)
            try:
                self._begin(fault)
                await asyncio.sleep(fault.length_s)
            finally:
                await self._end(fault)
                self.now.remove(fault.kind)
                self._history.add(Fault(at=began, what=fault.kind, until=self._history.now()))

    def _begin(self, fault: Planned) -> None:
        match fault.kind:
            case "kill":
                self._process.kill()
            case "stop":
                self._process.pause()
            case "cut":
                self._each(lambda proxy: proxy.cut(fault.amount))
            case "stall":
                self._each(Proxy.stall)
            case "black-hole":
                self._each(Proxy.swallow)
            case "full-disk":
                self._change(is_disk_full=True)
            case "slow-disk":
                self._change(commit_ms=fault.amount)
            case "clock-jump":
                self._change(clock_ms=fault.amount)

    async def _end(self, fault: Planned) -> None:
        match fault.kind:
            case "kill":
                await self._process.start()
            case "stop":
                self._process.resume()
            case "stall":
                self._each(Proxy.heal)
            case "black-hole":
                # What was swallowed is missing: no connection may go on as if it were not.
                self._each(Proxy.cut)
                self._each(Proxy.heal)
            case "full-disk":
                self._change(is_disk_full=False)
            case "slow-disk":
                self._change(commit_ms=0)
            case "clock-jump":
                self._change(clock_ms=0)
            case "cut":
                pass

    def _change(self, **fields: int | bool) -> None:
        self._conditions = structs.replace(self._conditions, **fields)
        self._process.set_conditions(self._conditions)

    def _each(self, act: Callable[[Proxy], None]) -> None:
        for proxy in self._proxies:
            act(proxy)
