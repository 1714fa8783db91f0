"""``system.*``: is anyone there."""

import msgspec

from hubbub.core.values import Position
from hubbub.dialects.rpc.methods import Caller, Empty, Method, Reply


class Pong(msgspec.Struct, frozen=True):
    """Result of ``system.ping``."""

    position: Position


def ping(caller: Caller, _params: Empty, reply: Reply) -> None:
    """Answer with the newest position."""
    reply(Pong(position=caller.hub.journal.position))


METHODS = [
    Method(
        name="system.ping",
        params=Empty,
        result=Pong,
        scope="read",
        summary="Answer with the newest position of the journal.",
        run=ping,
    ),
]
