"""The method table of ``/rpc``: one row per method, from which all else is made.

Routing, checking of parameters and ``/openrpc.json`` come from these rows; which scope each needs
stands in ``dialects/scopes.py``.
"""

from typing import Any, Protocol

import msgspec

from hubbub.core.audience import Member
from hubbub.core.hub import Hub
from hubbub.core.ports import Outbox
from hubbub.core.values import Principal
from hubbub.dialects.calls import Run
from hubbub.dialects.rpc.desk import Desk, Desks
from hubbub.dialects.rpc.frames import EventFrames
from hubbub.dialects.rpc.settings import RpcSettings


class Caller(Protocol):
    """Who makes a call, and through what."""

    hub: Hub
    principal: Principal
    limits: RpcSettings
    connection_id: str | None
    """Names the socket; ``None`` for a call by POST, which has no end to speak of."""
    subscriptions: dict[int, Member] | None
    """What this connection follows; ``None`` for a call by POST, which can follow nothing."""

    attached: dict[str, Desk]
    """Agents that take their turns on this connection."""
    desks: Desks | None
    """Where agents take turns; ``None`` for a call by POST, which can take none."""

    @property
    def outbox(self) -> Outbox | None:
        """The socket's outbox; ``None`` for a call by POST."""

    @property
    def events(self) -> EventFrames:
        """Encodes events for this door."""


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One method."""

    name: str
    params: type
    result: Any
    """Type of the result, for the description."""
    summary: str
    run: Run


class Empty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters that every method takes which writes."""

    idempotency_key: str | None = None
    cause: str | None = None
    """What led to this: an event's id, or a topic of the daemon's (``runs/<id>``), which stands
    for the newest event under it. It becomes the ``cause`` of the events that the call records.
    """
