"""x0x on the wire: commands in, frames out, ids, bodies. Pure.

Source: x0x 0.39.3, and 0.19.46 where that differs. JSON is compact everywhere, because shell
clients look for the text ``"ok":true``.
"""

import re
from collections.abc import Sequence
from typing import Annotated, TypeVar

import msgspec

from hubbub.core import payload
from hubbub.core.audience import Encode
from hubbub.core.direct import message_of
from hubbub.core.identity.identities import ID_CHARACTERS, Identities
from hubbub.core.values import Event, Position
from hubbub.dialects.base import Request
from hubbub.errors import InvalidRequest, TooLarge


T = TypeVar("T")

PONG = b'{"type":"pong"}'
OK = b'{"ok":true}'
DIRECT_SCOPE = "direct"
"""What ``live`` names at the end of a backfill of direct messages."""
LOCAL = "local:"
"""Prefix of topics that never leave the daemon; their messages show no trust level."""

_HEX = re.compile(r"[0-9a-fA-F]*")
encode = msgspec.json.Encoder().encode


# -- what a socket receives ------------------------------------------------------------------


class Backfill(msgspec.Struct, frozen=True):
    """Asks for stored messages before the live ones."""

    limit: Annotated[int, msgspec.Meta(ge=0)] = 0


class Subscribe(msgspec.Struct, frozen=True, tag="subscribe"):
    """Asks for the messages of topics."""

    topics: list[str]
    backfill: Backfill | None = None


class Unsubscribe(msgspec.Struct, frozen=True, tag="unsubscribe"):
    """Ends what ``Subscribe`` began."""

    topics: list[str]


class Publish(msgspec.Struct, frozen=True, tag="publish", gc=False):
    """Publishes bytes."""

    topic: str
    payload: str
    idempotency_key: str | None = None


class SendDirect(msgspec.Struct, frozen=True, tag="send_direct", gc=False):
    """Sends bytes to one agent."""

    agent_id: str
    payload: str
    logical_id: str | None = None
    """As of ``POST /direct/send``; ours on sockets."""


class Ping(msgspec.Struct, frozen=True, tag="ping", gc=False):
    """Asks for a ``pong``."""


Command = Subscribe | Unsubscribe | Publish | SendDirect | Ping


class _Tagged(msgspec.Struct):
    type: str


COMMANDS = ("subscribe", "unsubscribe", "publish", "send_direct", "ping")
_commands = msgspec.json.Decoder(Command)
_tags = msgspec.json.Decoder(_Tagged)


def decode(text: str) -> Command:
    """Read one command.

    Raises:
        InvalidRequest: It is none; the text is what the client is told.
    """
    try:
        command: Command = _commands.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        message = f"invalid command: {_reason(text, error)}"
        raise InvalidRequest(message) from None
    return command


def _reason(text: str, error: Exception) -> str:
    try:
        tag = _tags.decode(text).type
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return str(error)
    if tag in COMMANDS:
        return str(error)
    known = ", ".join(f"`{name}`" for name in COMMANDS)
    return f"unknown variant `{tag}`, expected one of {known}"


def agent_id(text: str) -> str:
    """Check an agent id and give it in lower case.

    Raises:
        InvalidRequest: It is not 64 hex characters.
    """
    if not _HEX.fullmatch(text) or len(text) % 2:
        message = f"invalid hex: {text[: ID_CHARACTERS + 1]!r}"
        raise InvalidRequest(message)
    if len(text) != ID_CHARACTERS:
        message = f"expected 32 bytes ({ID_CHARACTERS} hex chars), got {len(text) // 2}"
        raise InvalidRequest(message)
    return text.lower()


# -- what a socket sends ---------------------------------------------------------------------


def connected(session_id: str, agent: str) -> bytes:
    """Greet."""
    return encode({"type": "connected", "session_id": session_id, "agent_id": agent})


def subscribed(topics: Sequence[str]) -> bytes:
    """Confirm, with the topics as they were asked for."""
    return encode({"type": "subscribed", "topics": topics})


def unsubscribed(topics: Sequence[str]) -> bytes:
    """Confirm, with the topics as they were asked for."""
    return encode({"type": "unsubscribed", "topics": topics})


def live(scope: str) -> bytes:
    """End a backfill."""
    return encode({"type": "live", "topic": scope})


def error(message: str) -> bytes:
    """Tell what went wrong; the connection stays."""
    return encode({"type": "error", "message": message})


class EventFrames:
    """Shows events to x0x clients."""

    def __init__(self, identities: Identities, epoch: str) -> None:
        """Show agents by their ids.

        Args:
            epoch: That of the journal, for the ids of server-sent events.
        """
        self._identities = identities
        self._epoch = epoch

    def topic(self, topic: str) -> Encode:
        """Make the encoder of one topic's ``message`` frames."""
        head = b'{"type":"message","topic":%b,"payload":"' % encode(topic)

        def message(event: Event) -> bytes | None:
            # Topics are whole names here, but "a/*" is a pattern to the bus.
            if event.topic != topic:
                return None
            return b'%b%b","origin":%b}' % (head, payload.unwrap(event), self._origin(event))

        return message

    def direct(self, event: Event) -> bytes:
        """Give the ``direct_message`` frame of an event."""
        return b'{"type":"direct_message",' + self.direct_fields(event)[1:]

    def direct_fields(self, event: Event, *, history: bool = False) -> bytes:
        """Give a direct message as an object.

        Args:
            history: Leave out the trust decision, which stored messages do not have.
        """
        message = message_of(event)
        fields: dict[str, object] = {
            "sender": self._identities.agent_id(message.sender),
            "machine_id": self._identities.machine_id,
            "payload": message.payload,
            "received_at": event.at,
            "verified": True,
        }
        if not history:
            own = message.sender == message.recipient
            fields["trust_decision"] = "accept" if own else "unknown"
        return encode(fields)

    def subscription(self, event: Event, subscription_ids: Sequence[str]) -> bytes:
        """Give the server-sent events of an event: one for each subscription to its topic."""
        origin = self._origin(event)
        tail = b'","topic":%b,"payload":"%b","sender":%b,"verified":%b,"trust_level":%b}}' % (
            encode(event.topic),
            payload.unwrap(event),
            origin,
            b"false" if origin == b"null" else b"true",
            b"null" if origin == b"null" or event.topic.startswith(LOCAL) else b'"unknown"',
        )
        head = b'{"type":"message","data":{"subscription_id":"'
        *others, last = (head + name.encode() + tail for name in subscription_ids)
        # The position goes on the last one: a client cut off before it gets all of them again.
        return b"".join(
            [*(sse("message", data) for data in others), self.sse("message", last, event)]
        )

    def sse(self, name: str, data: bytes, event: Event) -> bytes:
        """Give a server-sent event whose id is the event's position."""
        cursor = Position(self._epoch, event.seq).cursor() if event.seq else None
        return sse(name, data, cursor)

    def _origin(self, event: Event) -> bytes:
        origin = self._identities.of_actor(event.actor)
        return b"null" if origin is None else b'"%b"' % origin.encode()


def sse(name: str, data: bytes, cursor: str | None = None) -> bytes:
    """Give the lines of one server-sent event."""
    head = b"" if cursor is None else b"id: %b\n" % cursor.encode()
    return b"%bevent: %b\ndata: %b\n\n" % (head, name.encode(), data)


COMMENT = b": ping\n\n"


# -- HTTP bodies -----------------------------------------------------------------------------


class UnsupportedMediaType(InvalidRequest):
    """The body is not declared as JSON."""

    http_status = 415


class WrongShape(InvalidRequest):
    """The body is JSON, but not of the shape that is needed."""

    http_status = 422


def body_of(request: Request, shape: type[T], *, max_bytes: int) -> T:
    """Read a request's body.

    Raises:
        UnsupportedMediaType: It is not declared as JSON.
        TooLarge: It is over the limit.
        InvalidRequest: It is not JSON.
        WrongShape: A field is missing or of another type.
    """
    declared = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if declared != "application/json" and not declared.endswith("+json"):
        message = "send the body as JSON, with Content-Type: application/json"
        raise UnsupportedMediaType(message)
    if len(request.body) > max_bytes:
        message = f"the body is over {max_bytes} bytes"
        raise TooLarge(message)
    try:
        return msgspec.json.decode(request.body, type=shape)
    except msgspec.ValidationError as error:
        message = f"the body does not have the right shape: {error}"
        raise WrongShape(message) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        message = f"the body is not JSON: {error}"
        raise InvalidRequest(message) from None
