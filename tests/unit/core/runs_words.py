"""Words for tests of runs: requests, what was told, and a gate before the store."""

import asyncio
import threading
from typing import Any

import msgspec

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.runs.outcomes import Outcome
from hubbub.core.runs.run import OnDisconnect, Run, StartRun
from hubbub.core.values import Event, Principal


ANN = Principal(name="ann")
BOB = Principal(name="bob")
READER = Principal(name="ann", scopes=frozenset(("read",)))
SUCCESS = Outcome(status="success", summary="done")


def new_run(
    agent: str = "ann", on_disconnect: OnDisconnect = "incomplete", **more: Any
) -> StartRun:
    """Make a request to start a run."""
    fields = {"intent": "do it", "client": "c1", "source": "car", **more}
    return StartRun(agent=agent, on_disconnect=on_disconnect, **fields)


def chat_run(run_id: str = "turn-1", agent: str = "ann", **more: Any) -> Run:
    """Make a run as the chat stores one for a turn."""
    fields = {"client": "operator", "intent": "hi", "started_at": 0, **more}
    return Run(run_id=run_id, agent=agent, source="chat", on_disconnect="continue", **fields)


class Told:
    """All events of runs, and a way to wait for them."""

    def __init__(self, bus: Bus) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()
        bus.listen(["runs/*"], self._take)

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    @property
    def kinds(self) -> list[str]:
        """The kinds of the events, in order."""
        return [event.kind for event in self.events]

    def data(self, number: int = -1) -> dict[str, Any]:
        """Give the data of an event."""
        data: dict[str, Any] = msgspec.json.decode(self.events[number].data)
        return data

    async def ends(self, count: int = 1) -> None:
        """Wait until this many runs have ended."""
        while self.kinds.count("run.ended") < count:
            self._news.clear()
            await self._news.wait()


class Gate:
    """Holds the writer up, so that a test decides what comes first."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._open = threading.Event()
        journal.submit(lambda _tx: self._open.wait(10), lambda _settled: None)

    async def waits(self, units: int) -> None:
        """Wait until this many units are behind the gate."""
        while self.journal.waiting < units + 1:  # noqa: ASYNC110 the journal tells nobody
            await asyncio.sleep(0)

    def open(self) -> None:
        """Let the writer go on."""
        self._open.set()
