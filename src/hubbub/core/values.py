"""The words of the domain as small frozen values."""

import ipaddress
import os
import time
from collections.abc import Callable
from typing import Literal, NewType

import msgspec

from hubbub.errors import Forbidden, InvalidRequest


AgentId = NewType("AgentId", str)
RunId = NewType("RunId", str)
IssueId = NewType("IssueId", int)

Scope = Literal["read", "write", "admin"]

Clock = Callable[[], int]
"""Gives Unix time in milliseconds."""

IdSource = Callable[[], str]
"""Gives a new UUIDv7 as text."""

MAX_TOPIC_BYTES = 65_535


class Position(msgspec.Struct, frozen=True, array_like=False):
    """A place in the journal: everything up to and including ``seq`` has been seen."""

    epoch: str
    """Random id made when the journal was created; another one means another journal."""
    seq: int

    def cursor(self) -> str:
        """Give the opaque text form; a list of origins, so far always of one."""
        return f"{self.epoch}:{self.seq}"

    @classmethod
    def parse(cls, cursor: str) -> "Position":
        """Read the opaque text form.

        Raises:
            InvalidRequest: This is not a cursor of ours.
        """
        epoch, colon, seq = cursor.strip().rpartition(":")
        if not colon or not epoch or not (seq.isascii() and seq.isdigit()):
            message = f"{cursor!r} is not a cursor; send one back as it was received"
            raise InvalidRequest(message)
        return cls(epoch=epoch, seq=int(seq))


class Event(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened, as all doors see it."""

    seq: int
    """Place in the journal, from 1; 0 for an ephemeral event, which is in no journal."""
    id: str
    """UUIDv7."""
    topic: str
    kind: str
    actor: str
    """Id of the principal that did it."""
    at: int
    """Unix time in milliseconds."""
    data: msgspec.Raw
    """Compact JSON, valid UTF-8."""
    cause: str | None = None
    """Id of the event or request that led to this one."""


class Principal(msgspec.Struct, frozen=True):
    """Who is calling; made by a door from a token, never from a request's own claim."""

    name: str
    """Agent id, person's name, or ``operator``."""
    kind: Literal["operator", "agent", "person"] = "agent"
    scopes: frozenset[Scope] = frozenset(("read", "write"))
    token: str = ""
    """Digest of the token that lets this caller in; empty: none that can be revoked."""

    @property
    def id(self) -> str:
        """Stable id for events, idempotency and limits."""
        return self.name if self.kind == "operator" else f"{self.kind}:{self.name}"

    @property
    def agent(self) -> AgentId | None:
        """The agent that this caller is bound to, if it is one."""
        return AgentId(self.name) if self.kind == "agent" else None

    def require(self, scope: Scope) -> None:
        """Check a scope; ``admin`` includes ``write``, which includes ``read``.

        Raises:
            Forbidden: The caller has not got it.
        """
        have = self.scopes
        if scope in have or "admin" in have or (scope == "read" and "write" in have):
            return
        message = f"{self.id} lacks the scope {scope!r}"
        raise Forbidden(message)


OPERATOR = Principal(name="operator", kind="operator", scopes=frozenset(("read", "write", "admin")))


def check_topic(topic: str) -> str:
    """Give the topic back if it can be published to.

    Raises:
        InvalidRequest: It is empty or longer than 65,535 bytes of UTF-8.
    """
    if not topic:
        message = "topic is empty"
        raise InvalidRequest(message)
    if len(topic) > MAX_TOPIC_BYTES // 4 and len(topic.encode()) > MAX_TOPIC_BYTES:
        message = f"topic is longer than {MAX_TOPIC_BYTES} bytes"
        raise InvalidRequest(message)
    return topic


def is_loopback(host: str) -> bool:
    """Say whether an address is one of this machine's own, which no other machine can reach."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def wall_clock() -> int:
    """Read the system's clock: Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def uuid7() -> str:
    """Make a UUIDv7 (RFC 9562): 48 bits of milliseconds, then 74 random bits."""
    bits = (wall_clock() << 80) | int.from_bytes(os.urandom(10), "big")
    bits = bits & ~(0xF << 76) | (0x7 << 76)
    bits = bits & ~(0x3 << 62) | (0x2 << 62)
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
