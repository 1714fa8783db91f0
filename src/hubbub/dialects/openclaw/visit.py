"""A client that may have been here before: it is told first what it missed.

This protocol has no word for a position, and its clients load what they need after every
hello. What they do not learn that way is that a turn has ended of which they saw the
beginning: so the ends of turns, injected and direct messages are told again as the ``chat``
events that they would have been. Each is a hint to load the history; none is told twice.
"""

import asyncio
from collections.abc import Callable

import msgspec

from hubbub.core.ports import Outbox, event_of
from hubbub.core.values import Event, Principal
from hubbub.dialects.openclaw import frames
from hubbub.dialects.openclaw.direct import DirectData, may_read
from hubbub.dialects.openclaw.events import ChatData, Feed, direct_payload
from hubbub.dialects.openclaw.handshake import Accepted
from hubbub.dialects.openclaw.room import Room, Told
from hubbub.dialects.openclaw.turns import chat_payload
from hubbub.errors import HubbubError
from hubbub.telemetry import log


DOOR = "openclaw"


def identity_of(accepted: Accepted) -> str | None:
    """Name what comes back as the same client; ``None``: nothing does.

    A device is a browser or an installation, an instance one program for as long as it runs.
    Command-line calls come and go within a second, and nodes hear nothing of chats.
    """
    client, device = accepted.connect.client, accepted.connect.device
    if "cli" in (client.id, client.mode) or accepted.connect.role == "node":
        return None
    if device is None and client.instance_id is None:
        return None
    parts = (accepted.principal.id, client.id, device and device.id, client.instance_id)
    return msgspec.json.encode(parts).decode()


class Visit:
    """One connection as the room knows it; what happens waits behind what was missed."""

    def __init__(
        self, room: Room, feed: Feed, outbox: Outbox, principal: Principal, identity: str
    ) -> None:
        """Let a client hear what happens from now on, once it has heard what has happened."""
        self.principal = principal
        self._room = room
        self._outbox = outbox
        self._identity = identity
        self._held: _Held | None = _Held(outbox, room.settings.max_buffered_bytes, self._go_on)
        # Their last events have been stored and are told in a moment, to this client too.
        self._due = feed.due()
        self._began = room.hub.bus.told
        self._told = self._began
        self._task: asyncio.Task[None] | None = None
        self._is_waiting = True
        self._is_closed = False
        room.enter(self)
        room.hub.absences.came(DOOR, identity, self._back)

    @property
    def outbox(self) -> Told:
        """Where events go."""
        return self._outbox if self._held is None else self._held

    def closed(self) -> None:
        """Remember where this client leaves off."""
        if self._is_closed:
            return
        self._is_closed = True
        self._room.leave(self)
        if self._task is not None:
            self._task.cancel()
        if not self._is_waiting:
            self._leave()

    def _back(self, told: int | None) -> None:
        self._is_waiting = False
        if told is not None and self._held is not None:
            self._told = told
        if self._is_closed:
            self._leave()
        elif self._told < self._began:
            self._task = asyncio.get_running_loop().create_task(self._catch_up())
        else:
            self._go_on()

    def _leave(self) -> None:
        told = self._room.hub.bus.told if self._held is None else self._told
        self._room.hub.absences.left(DOOR, self._identity, told)

    async def _catch_up(self) -> None:
        try:
            payloads = await self._missed()
        except HubbubError as error:
            log.warning("replay_failed", door=DOOR, error=str(error))
            payloads = []
        for payload in payloads if self._held is not None else ():
            self._outbox.press(self._outbox.frame(frames.event("chat", payload)))
        self._go_on()

    def _go_on(self) -> None:
        """Let what happens through; what was missed and not told yet is left out."""
        held, self._held = self._held, None
        for frame in held.frames if held is not None else ():
            self._outbox.press(frame)

    async def _missed(self) -> list[dict[str, object]]:
        """Give the payloads of what was missed, oldest first."""
        store = self._room.hub.store
        rows = await store.rows(
            "openclaw_missed",
            after=self._told,
            upto=self._began,
            limit=self._room.settings.replay_events,
        )
        events = [event_of(row) for row in reversed(rows)]
        ends = {e.id: msgspec.json.decode(e.data, type=ChatData) for e in events if _is_chat(e)}
        run_ids = msgspec.json.encode([data.run_id for data in ends.values()]).decode()
        found = await store.rows("openclaw_spellings", run_ids=run_ids)
        spellings = {str(run_id): str(spelling) for run_id, spelling in found}
        payloads = []
        for event in events:
            if event.id not in ends:
                data = msgspec.json.decode(event.data, type=DirectData)
                if may_read(self.principal, data.recipient):
                    payloads.append(direct_payload(data, event.at))
            elif ends[event.id].run_id not in self._due:
                end = ends[event.id]
                key = spellings.get(end.run_id, end.session_key)
                payloads.append(_payload(event.kind, end, key))
        return payloads


class _Held:
    """Keeps for a moment what must not be dropped; what may be is."""

    def __init__(self, outbox: Outbox, max_bytes: int, too_much: Callable[[], None]) -> None:
        self._outbox = outbox
        self._room = max_bytes
        self._too_much = too_much
        self.frames: list[bytes] = []

    def frame(self, message: bytes) -> bytes:
        """Wrap a message as its connection does."""
        return self._outbox.frame(message)

    def push(self, _frame: bytes) -> bool:
        """Drop a frame: the next of its kind says more."""
        return True

    def press(self, frame: bytes) -> None:
        """Keep a frame, if the moment has not become too long."""
        self.frames.append(frame)
        self._room -= len(frame)
        if self._room < 0:
            self._too_much()


def _is_chat(event: Event) -> bool:
    return event.topic.startswith("chat/")


def _payload(kind: str, data: ChatData, session_key: str) -> dict[str, object]:
    """Give the end of a turn as it would have been told, but for the turn's own counter."""
    run_id, state = data.run_id, kind.removeprefix("chat.")
    fields: dict[str, object] = {}
    match state:
        case "final":
            fields = {"message": data.message, "usage": data.usage}
        case "injected":
            run_id, state = f"inject-{data.message_id}", "final"
            fields = {"message": data.message}
        case "error":
            fields = {"errorMessage": data.error}
        case "aborted":
            fields = {"stopReason": data.reason}
    return chat_payload(run_id, session_key, 0, state, fields)
