"""``room.snapshot``: everything that the views of a page are drawn from, now or as it was."""

import msgspec

from hubbub.core.past.room import Room
from hubbub.core.values import Position
from hubbub.dialects.calls import answered
from hubbub.dialects.rpc.methods import Caller, Method
from hubbub.dialects.rpc.topics import position_of


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``room.snapshot``."""

    at: Position | str | None = None
    """A position or a cursor; left out: now."""


async def snapshot(caller: Caller, params: Snapshot) -> Room:
    """Give the room."""
    return await caller.hub.past.room(position_of(params.at))


METHODS = [
    Method(
        name="room.snapshot",
        params=Snapshot,
        result=Room,
        summary="Give agents, runs, sessions and work as they are, or were at a position.",
        run=answered(snapshot),
    ),
]
