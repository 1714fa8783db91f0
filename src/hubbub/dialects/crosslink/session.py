"""One connection to ``/ws``."""

from hubbub.core.audience import Member
from hubbub.core.hub import Hub
from hubbub.core.identity.presence import Attachment
from hubbub.dialects.base import Connection
from hubbub.dialects.crosslink.frames import CHANNELS, EventFrames, subscribed


class CrosslinkSession:
    """Sends the events of some channels, of all until the client chooses."""

    def __init__(self, hub: Hub, events: EventFrames, connection: Connection) -> None:
        """Serve a socket; the principal may be nobody, for the pages send no token here."""
        self._hub = hub
        self._events = events
        self._outbox = connection.outbox
        self._principal = connection.principal
        self._member: Member | None = None
        self._attachment: Attachment | None = None

    def opened(self) -> None:
        """Say nothing; all channels are heard from now on."""
        agent = None if self._principal is None else self._principal.agent
        if agent is not None:
            self._attachment = self._hub.presence.attach(agent, "crosslink")
        self._hear(frozenset(CHANNELS))

    def received(self, text: str) -> None:
        """Change the channels; anything but a subscribe is ignored."""
        if self._attachment is not None:
            self._attachment.touch()
        channels = subscribed(text)
        if channels is not None:
            self._hear(channels)

    def received_binary(self, data: bytes) -> None:
        """Ignore: this protocol is text."""

    def shutting_down(self) -> None:
        """Say nothing: this protocol has no word for it."""

    def closed(self) -> None:
        """End the subscription, and the agent's presence through this connection."""
        if self._member is not None:
            self._member.leave()
        if self._attachment is not None:
            self._attachment.detach()

    def _hear(self, channels: frozenset[str]) -> None:
        """Hear these channels and no others; none at all is allowed."""
        key = ("crosslink", channels)
        patterns = [CHANNELS[channel] for channel in channels]
        encode = self._events.message
        bus = self._hub.bus
        if self._member is None:
            self._member = bus.join(self._outbox, key=key, patterns=patterns, encode=encode)
        else:
            bus.move(self._member, key=key, patterns=patterns, encode=encode)
