"""One connection to ``/ws``."""

import asyncio
from typing import Any

from hubbub.core.audience import Member
from hubbub.core.bus import Resumed
from hubbub.core.hub import Hub
from hubbub.core.identity.presence import Attachment
from hubbub.core.values import Position
from hubbub.dialects.base import Connection
from hubbub.dialects.crosslink.frames import CHANNELS, EventFrames, gap, subscribed
from hubbub.errors import HubbubError, TooManyRequests
from hubbub.telemetry import log


DOOR = "crosslink"
ALL = frozenset(CHANNELS)


class CrosslinkSession:
    """Sends the events of some channels, of all until the client chooses.

    This protocol has no word for a position. Who shows an agent's token is an identity all the
    same: it gets first what that agent missed since its last connection ended.
    """

    def __init__(
        self, hub: Hub, events: EventFrames, connection: Connection, *, replay: int
    ) -> None:
        """Serve a socket; the principal may be nobody, for the pages send no token here.

        Args:
            replay: Events that are replayed at most; a ``gap`` tells how many more there were.
        """
        self._hub = hub
        self._events = events
        self._outbox = connection.outbox
        self._replay_events = replay
        principal = connection.principal
        self._identity = None if principal is None else principal.agent
        self._channels = ALL
        self._member: Member | None = None
        self._attachment: Attachment | None = None
        self._task: asyncio.Task[None] | None = None
        self._told = 0
        """Where what it is to hear begins, until it hears."""
        self._is_waiting = False
        self._is_closed = False

    def opened(self) -> None:
        """Say nothing; all channels are heard from now on."""
        self._told = self._hub.bus.told
        if self._identity is None:
            self._hear(ALL)
            return
        self._is_waiting = True
        self._hub.absences.came(DOOR, self._identity, self._back)
        self._attachment = self._hub.presence.attach(self._identity, DOOR)

    def received(self, text: str) -> None:
        """Change the channels; anything but a subscribe is ignored."""
        if self._attachment is not None:
            self._attachment.touch()
        channels = subscribed(text)
        if channels is not None:
            self._hear(channels)

    def received_binary(self, data: bytes) -> None:
        """Ignore: this protocol is text."""

    def refused(self, message: str | bytes, error: TooManyRequests) -> bool:
        """Take it later: this protocol has no answer to a subscribe."""
        return False

    def shutting_down(self) -> None:
        """Say nothing: this protocol has no word for it."""

    def closed(self) -> None:
        """End the subscription, and the agent's presence through this connection."""
        self._is_closed = True
        if self._attachment is not None:
            self._attachment.detach()
        if self._task is not None:
            self._task.cancel()
        if not self._is_waiting:
            self._leave()

    # -- who comes back --------------------------------------------------------------------

    def _back(self, told: int | None) -> None:
        """Learn where this agent left off; what happened meanwhile comes first."""
        self._is_waiting = False
        if told is not None:
            self._told = told
        if self._is_closed:
            self._leave()
        else:
            self._task = asyncio.get_running_loop().create_task(self._replay())

    def _leave(self) -> None:
        member = self._member
        told = self._told
        if member is not None:
            told = self._hub.bus.told if member.after is None else member.after
            member.leave()
        if self._identity is not None:
            self._hub.absences.left(DOOR, self._identity, told)

    async def _replay(self) -> None:
        """Tell what was missed, the newest if that is too much, and then what happens."""
        hub = self._hub
        try:
            ((dropped, last),) = await hub.store.rows(
                "crosslink_skipped",
                after=self._told,
                upto=hub.bus.told,
                keep=self._replay_events,
            )
        except HubbubError as error:
            log.warning("replay_failed", door=DOOR, error=str(error))
            dropped, last = 0, hub.bus.told
        if dropped:
            self._outbox.push(self._outbox.frame(gap(dropped)))
        self._told = last or self._told
        await self._join()

    async def _join(self) -> None:
        member = self._member = self._hub.bus.member(self._outbox, **self._audience())
        member.after = self._told
        here = Position(epoch=self._hub.store.epoch, seq=self._told)
        await self._hub.bus.resume(member, here, _silently)

    # -- channels --------------------------------------------------------------------------

    def _hear(self, channels: frozenset[str]) -> None:
        """Hear these channels and no others; none at all is allowed."""
        self._channels = channels
        member = self._member
        if member is None:
            if self._identity is None:
                self._member = self._hub.bus.join(self._outbox, **self._audience())
            return  # else the replay begins with these
        if member.after is None:
            self._hub.bus.move(member, **self._audience())
            return
        # It still reads the past, which from where it is has only these channels.
        self._told = member.after
        member.leave()
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.get_running_loop().create_task(self._join())

    def _audience(self) -> dict[str, Any]:
        return {
            "key": (DOOR, self._channels),
            "patterns": [CHANNELS[channel] for channel in self._channels],
            "encode": self._events.message,
        }


def _silently(_resumed: Resumed) -> None:
    """Announce nothing: this protocol has no word for it."""
