"""Watchers for the kill tests: follow the whole journal over many lives of the daemon."""

from typing import Any

from tests.clients.frames import Frame
from tests.clients.guests import Guests
from tests.daemon import Daemon


class Watcher:
    """Keeps every stored event that it was told, and where to resume.

    Attributes:
        told: Every event with a place in the journal, in the order in which it came.
    """

    begins_after = 0
    """The `seq` after which this watcher began to follow."""

    def __init__(self) -> None:
        self.told: list[Frame] = []

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Resume after the last event told, or begin at the journal's beginning."""
        raise NotImplementedError

    async def next(self) -> Frame:
        """Return the next event, stored or ephemeral."""
        raise NotImplementedError

    async def follow(self) -> None:
        """Watch until the daemon is gone."""
        while True:
            self._keep(await self.next())

    async def until(self, event_id: str) -> None:
        """Watch until this event has come."""
        while not self.told or self.told[-1]["id"] != event_id:
            self._keep(await self.next())

    def verify(self, journal: list[Frame]) -> None:
        """Insist that what was told is the journal: no hole, no duplicate, nothing unstored."""
        told = [(event["seq"], event["id"]) for event in self.told]
        stored = [(e["seq"], e["id"]) for e in journal if e["seq"] > self.begins_after]
        assert told == stored[: len(told)], _first_difference(told, stored)

    def _keep(self, event: Frame) -> None:
        if event["seq"]:
            self.told.append(event)


class RpcWatcher(Watcher):
    """Follows by `topics.subscribe` on `/rpc`, resuming from a position."""

    epoch = ""

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Subscribe to everything after the last event told."""
        self.rpc = await guests.rpc(daemon)
        if not self.epoch:
            page = await self.rpc.call("journal.read", {"limit": 1})
            self.epoch = page["position"]["epoch"]
        seq = self.told[-1]["seq"] if self.told else 0
        answer = await self.rpc.subscribe("*", after={"epoch": self.epoch, "seq": seq})
        assert answer["recovered"] is True, answer
        assert answer["position"] == {"epoch": self.epoch, "seq": seq}

    async def next(self) -> Frame:
        """Return the next notification's event."""
        return await self.rpc.event()


class SseWatcher(Watcher):
    """Follows by `/events`, resuming from `Last-Event-ID` as a browser does."""

    last_id = ""

    async def connect(self, guests: Guests, daemon: Daemon) -> None:
        """Open the stream after the last id that was seen."""
        client = await guests.hubbub(daemon)
        if not self.last_id:
            # Clients never make cursors themselves: take that of an event of our own.
            begin = await (await guests.rpc(daemon)).publish("seam/begin", {})
            self.last_id, self.begins_after = begin["cursor"], begin["position"]["seq"]
        headers = {"Last-Event-ID": self.last_id}
        self.stream = await client.events("/events?topics=*", headers=headers)
        assert self.stream.status == 200

    async def next(self) -> Frame:
        """Return the next event that is one of the journal's shape."""
        while True:
            sse = await self.stream.next()
            if sse.id:
                self.last_id = sse.id
            if isinstance(sse.data, dict) and "seq" in sse.data:
                event: Frame = sse.data
                return event


def _first_difference(told: list[Any], stored: list[Any]) -> str:
    for place, (seen, kept) in enumerate(zip(told, stored, strict=False)):
        if seen != kept:
            return f"at {place} the watcher was told {seen}, the journal holds {kept}"
    return f"the watcher was told {len(told)} events, the journal holds {len(stored)}"
