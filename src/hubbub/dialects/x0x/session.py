"""``/ws`` and ``/ws/direct``: the same commands on both; only the second gets direct messages."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from hubbub.core import payload
from hubbub.core.audience import Member
from hubbub.core.bus import Resumed
from hubbub.core.hub import Hub
from hubbub.core.identity.identities import agent_of, topic_of
from hubbub.core.identity.presence import Attachment
from hubbub.core.ports import Settled
from hubbub.core.values import Event, Position
from hubbub.dialects import scopes
from hubbub.dialects.base import Connection
from hubbub.dialects.x0x import frames
from hubbub.dialects.x0x.backfill import stored
from hubbub.dialects.x0x.frames import (
    Command,
    EventFrames,
    Ping,
    Publish,
    SendDirect,
    Subscribe,
    Unsubscribe,
)
from hubbub.dialects.x0x.settings import X0xSettings
from hubbub.errors import HubbubError, RequestError, TooManyRequests
from hubbub.telemetry import log


class Sockets:
    """All open sockets of this door, and what was counted on them."""

    def __init__(
        self, hub: Hub, settings: X0xSettings, events: EventFrames, session_ids: Callable[[], str]
    ) -> None:
        """Begin with none.

        Args:
            session_ids: Gives a new UUIDv4.
        """
        self.hub = hub
        self.settings = settings
        self.events = events
        self.session_ids = session_ids
        self.open: dict[str, X0xSession] = {}
        self.dropped = 0
        """Frames that slow sockets did not get."""
        self.slow_closes = 0
        """Sockets that were closed as too slow."""

    def count_drop(self) -> None:
        """Count a frame that was dropped."""
        self.dropped += 1

    def count_slow_close(self) -> None:
        """Count a socket that was too slow."""
        self.slow_closes += 1

    def shared(self) -> dict[str, int]:
        """Give the number of sockets per topic."""
        return dict(Counter(topic for session in self.open.values() for topic in session.topics))


class X0xSession:
    """One socket."""

    __slots__ = (
        "_agent",
        "_attachment",
        "_hub",
        "_members",
        "_outbox",
        "_principal",
        "_request",
        "_sockets",
        "_task",
        "_timer",
        "direct",
        "session_id",
    )

    def __init__(self, sockets: Sockets, connection: Connection, *, direct: bool) -> None:
        """Serve a socket.

        Args:
            direct: Whether it gets the direct messages of its agent.
        """
        self._sockets = sockets
        self._hub = sockets.hub
        self._outbox = connection.outbox
        self._request = connection.request
        self._principal = connection.request.caller
        self._agent = agent_of(self._principal)
        self._members: dict[str, Member] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._attachment: Attachment | None = None
        self.direct: Member | None = self._direct_member() if direct else None
        self.session_id = sockets.session_ids()

    @property
    def topics(self) -> list[str]:
        """Topics that it is subscribed to."""
        return list(self._members)

    def opened(self) -> None:
        """Greet, with the unasked ``pong`` that clients expect; begin with direct messages."""
        self._sockets.open[self.session_id] = self
        if self._principal.agent is not None:
            self._attachment = self._hub.presence.attach(self._principal.agent, "x0x")
        agent_id = self._hub.identities.agent_id(self._agent)
        self._outbox.send(frames.connected(self.session_id, agent_id))
        self._outbox.send(frames.PONG)
        self._arm()
        if self.direct is not None:
            self._open_direct(self.direct)

    def received(self, text: str) -> Coroutine[Any, Any, None] | None:
        """Work off one command; only a backfill takes longer than this call."""
        try:
            command = frames.decode(text)
            if self._attachment is not None:
                self._attachment.touch()
            return self._take(command)
        except RequestError as error:
            self._outbox.send(frames.error(str(error)))
            return None

    def received_binary(self, data: bytes) -> None:
        """Ignore it: this protocol is text."""

    def refused(self, message: str | bytes, error: TooManyRequests) -> bool:
        """Tell that a command was not done."""
        self._outbox.send(frames.error(str(error)))
        return True

    def shutting_down(self) -> None:
        """Say nothing: the close frame tells it."""

    def closed(self) -> None:
        """Leave every topic."""
        self._sockets.open.pop(self.session_id, None)
        for member in (*self._members.values(), self.direct):
            if member is not None:
                member.leave()
        if self._attachment is not None:
            self._attachment.detach()
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    # -- commands ------------------------------------------------------------------------

    def _take(self, command: Command) -> Coroutine[Any, Any, None] | None:
        scopes.check(scopes.X0X, f"ws {type(command).__struct_config__.tag}", self._principal)
        match command:
            case Publish():
                self._publish(command)
            case Subscribe():
                return self._subscribe(command)
            case Unsubscribe():
                self._unsubscribe(command)
            case SendDirect():
                self._send_direct(command)
            case Ping():
                self._outbox.send(frames.PONG)
        return None

    def _publish(self, command: Publish) -> None:
        data = payload.wrap(payload.check_base64(command.payload))
        try:
            self._hub.topics.submit(
                self._principal,
                command.topic,
                data,
                self._published,
                kind=payload.BYTES,
                key=command.idempotency_key,
            )
        except RequestError as error:
            self._refused("publish failed", error)

    def _published(self, settled: Settled) -> None:
        if settled.error is not None:
            self._refused("publish failed", settled.error)

    def _send_direct(self, command: SendDirect) -> None:
        agent_id = frames.agent_id(command.agent_id)
        payload.check_base64(command.payload)
        try:
            recipient = self._hub.identities.name(agent_id)
            self._hub.direct.submit(
                self._principal,
                recipient,
                command.payload,
                self._sent,
                logical_id=command.logical_id,
            )
        except RequestError as error:
            self._refused("send failed", error)

    def _sent(self, settled: Settled) -> None:
        if settled.error is not None:
            self._refused("send failed", settled.error)

    def _refused(self, what: str, error: Exception) -> None:
        """Tell the client in x0x's words, which have no details; the log has them."""
        log.info("x0x_command_refused", what=what, caller=self._principal.id, error=str(error))
        self._outbox.send(frames.error(what))

    # -- topics --------------------------------------------------------------------------

    def _subscribe(self, command: Subscribe) -> Coroutine[Any, Any, None] | None:
        fresh = [topic for topic in dict.fromkeys(command.topics) if topic not in self._members]
        fresh = fresh[: self._sockets.settings.max_topics - len(self._members)]
        members = [self._topic_member(topic) for topic in fresh]
        self._members.update(zip(fresh, members, strict=True))
        confirmation = frames.subscribed(command.topics)
        if command.backfill is not None:
            limit = self._sockets.settings.backfill(command.backfill.limit)
            return self._replay(members, fresh, limit, confirmation)
        # Clients take any other frame before the confirmation for an error.
        self._outbox.send(confirmation)
        for member in members:
            member.audience.add(member)
        return None

    def _unsubscribe(self, command: Unsubscribe) -> None:
        for topic in command.topics:
            member = self._members.pop(topic, None)
            if member is not None:
                member.leave()
        self._outbox.send(frames.unsubscribed(command.topics))

    def _topic_member(self, topic: str) -> Member:
        return self._hub.bus.member(
            self._outbox,
            key=("x0x", topic),
            patterns=(topic,),
            encode=self._sockets.events.topic(topic),
        )

    def _direct_member(self) -> Member:
        topic = topic_of(self._agent)
        return self._hub.bus.member(
            self._outbox,
            key=("x0x-direct", topic),
            patterns=(topic,),
            encode=self._sockets.events.direct,
            vital=_always,
        )

    def _open_direct(self, member: Member) -> None:
        asked = self._request.query.get("backfill")
        if asked is None:
            member.audience.add(member)
            return
        if not (asked.isascii() and asked.isdigit()):
            self._outbox.send(frames.error("backfill must be a number of messages"))
            member.audience.add(member)
            return
        limit = self._sockets.settings.backfill(int(asked))
        work = self._replay([member], [frames.DIRECT_SCOPE], limit, None)
        self._task = asyncio.get_running_loop().create_task(work)

    async def _replay(
        self, members: list[Member], scopes: list[str], limit: int, confirmation: bytes | None
    ) -> None:
        """Send stored messages, ``live`` for each scope, the confirmation, then live messages."""
        here = Position(epoch=self._hub.store.epoch, seq=self._hub.bus.told)
        try:
            for member, scope in zip(members, scopes, strict=True):
                (topic,) = member.audience.patterns
                async for event in stored(self._hub, self._outbox, topic, limit, upto=here.seq):
                    message = member.audience.encode(event)
                    if message is not None:
                        self._outbox.send(message)
                self._outbox.send(frames.live(scope))
        except HubbubError as error:
            self._refused("backfill failed", error)
        if confirmation is not None:
            self._outbox.send(confirmation)
        for member in members:
            # What was told while the store was read is between ``here`` and now.
            await self._hub.bus.resume(member, here, _silently)

    # -- frames --------------------------------------------------------------------------

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._sockets.settings.keepalive_s, self._keep_alive)

    def _keep_alive(self) -> None:
        """Send the unasked ``pong``; a socket that cannot even take this is closed."""
        self._arm()
        self._outbox.press(self._outbox.frame(frames.PONG))


def _always(_event: Event) -> bool:
    return True


def _silently(_resumed: Resumed) -> None:
    """Announce nothing: x0x clients have no word for it."""
