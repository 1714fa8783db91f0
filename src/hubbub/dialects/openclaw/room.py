"""What all connections of this door share: who is here, and who is told what."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from hubbub.core.hub import Hub
from hubbub.core.values import Principal
from hubbub.dialects.openclaw import frames
from hubbub.dialects.openclaw.pace import Pace, Timers
from hubbub.dialects.openclaw.presence import Presence
from hubbub.dialects.openclaw.settings import OpenclawSettings


class Told(Protocol):
    """Where a guest's events go: its outbox, or what holds them back for a moment."""

    def frame(self, message: bytes) -> bytes:
        """Wrap one message in the connection's framing."""

    def push(self, frame: bytes) -> bool:
        """Queue a frame that may be dropped."""

    def press(self, frame: bytes) -> None:
        """Queue a frame that must not be dropped."""


class Guest(Protocol):
    """A connection past its handshake."""

    @property
    def outbox(self) -> Told:
        """Its queue, as far as events need it."""

    @property
    def principal(self) -> Principal:
        """Whose token it has shown."""


class Room:
    """The connections, and the events that all of them get."""

    def __init__(self, hub: Hub, settings: OpenclawSettings, timers: Timers) -> None:
        """Begin empty."""
        self.hub = hub
        self.settings = settings
        self.timers = timers
        self.presence = Presence(settings, hub.clock)
        self.health: object = {}
        """The payload of ``health``, as it was when it was last looked at."""
        self.health_version = 1
        self.health_wanted = asyncio.Event()
        """Set when someone should look again, and then call ``tell_health``."""
        self.opened_at = hub.clock()
        # Replaced as a whole, so that coming and going during a walk is safe.
        self._guests: tuple[Guest, ...] = ()
        self._presence_pace = Pace(timers, settings.state_interval_ms, self._tell_presence)
        self._health_pace = Pace(timers, settings.state_interval_ms, self.health_wanted.set)

    @property
    def versions(self) -> dict[str, int]:
        """Give ``stateVersion``."""
        return {"presence": self.presence.version, "health": self.health_version}

    def enter(self, guest: Guest) -> None:
        """Let a connection hear events."""
        self._guests = (*self._guests, guest)

    def leave(self, guest: Guest) -> None:
        """Let a connection hear nothing more."""
        self._guests = tuple(other for other in self._guests if other is not guest)

    def tell(
        self,
        name: str,
        payload: object,
        *,
        may_drop: bool = False,
        versions: dict[str, int] | None = None,
        to: Callable[[Principal], bool] | None = None,
    ) -> None:
        """Tell everyone: encoded once, numbered per connection when it really leaves.

        Args:
            may_drop: A client that is too slow misses this event; any other closes it.
            to: Says who may hear it; ``None``: everyone.
        """
        guests = self._guests
        if to is not None:
            guests = tuple(guest for guest in guests if to(guest.principal))
        if not guests:
            return
        frame = guests[0].outbox.frame(frames.event(name, payload, versions))
        for guest in guests:
            if may_drop:
                guest.outbox.push(frame)
            else:
                guest.outbox.press(frame)

    def presence_changed(self) -> None:
        """Tell the list of who is here, soon."""
        self._presence_pace.ask()

    def refresh_health(self) -> None:
        """Have someone look how the gateway is, soon."""
        self._health_pace.ask()

    def tell_health(self, health: object) -> None:
        """Tell how the gateway is."""
        self.health = health
        self.health_version += 1
        self.tell("health", health, versions=self.versions)

    def tick(self) -> None:
        """Tell that the gateway lives."""
        self.tell("tick", {"ts": self.hub.clock()}, may_drop=True)

    def close(self) -> None:
        """Forget what is due."""
        self._presence_pace.stop()
        self._health_pace.stop()

    def _tell_presence(self) -> None:
        payload = {"presence": self.presence.entries()}
        self.tell("presence", payload, may_drop=True, versions=self.versions)
