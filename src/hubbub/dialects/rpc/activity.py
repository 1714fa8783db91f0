"""``journal.activity``: when things happened, in few numbers, however long the journal is."""

import msgspec

from hubbub.core.values import Position
from hubbub.dialects.calls import answered
from hubbub.dialects.rpc.methods import Caller, Method
from hubbub.errors import InvalidRequest


FEWEST = 2
"""Points in one answer at least: the first event and the newest."""


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``journal.activity``."""

    points: int = 100
    """How many to give at most."""


class Point(msgspec.Struct, frozen=True):
    """One event's place in the journal and in time."""

    seq: int
    at: int
    """Unix milliseconds."""


class Activity(msgspec.Struct, frozen=True):
    """Result of ``journal.activity``."""

    position: Position
    points: list[Point]
    """The first event, the newest, and some between them, as far from one another as can be:
    where many lie in a short time, much happened."""


async def activity(caller: Caller, params: Wanted) -> Activity:
    """Give events at even distances: each is found by its number, none is read on the way."""
    hub = caller.hub
    if not FEWEST <= params.points <= caller.limits.max_activity_points:
        message = f"points must be from {FEWEST} to {caller.limits.max_activity_points}"
        raise InvalidRequest(message)
    told = hub.bus.told
    rows = await hub.store.rows("journal_activity", last=told, steps=params.points - 1)
    return Activity(
        position=Position(epoch=hub.store.epoch, seq=told),
        points=[Point(seq=row[0], at=row[1]) for row in rows],
    )


METHODS = [
    Method(
        name="journal.activity",
        params=Wanted,
        result=Activity,
        summary="Give the times of some events at even distances over the whole journal.",
        run=answered(activity),
    ),
]
