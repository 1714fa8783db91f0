"""The Python client of hubbub's own door.

``AsyncClient`` is for programs with an event loop, ``Client`` for all others; both find the
daemon, come back by themselves, and never do anything twice.
"""

from hubbub.client.aio import AsyncClient
from hubbub.client.blocking import BlockingTurn, Client
from hubbub.client.errors import (
    AnswerLost,
    ClientError,
    Closed,
    Conflict,
    Deadlock,
    Forbidden,
    IdempotencyConflict,
    InternalError,
    InvalidRequest,
    LockHeld,
    MethodNotFound,
    Missed,
    NotFound,
    PathsReserved,
    RateLimited,
    Refused,
    RunnerFailed,
    SessionBusy,
    StaleFence,
    StoreUnavailable,
    TimedOut,
    TooLarge,
    TooManyConnections,
    TooSlow,
    TurnFailed,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from hubbub.client.events import Event, Position, Resumed
from hubbub.client.held import HeldLock
from hubbub.client.pace import Backoff
from hubbub.client.subscription import Following
from hubbub.client.turns import Asked, Turn


__all__ = [
    "AnswerLost",
    "Asked",
    "AsyncClient",
    "Backoff",
    "BlockingTurn",
    "Client",
    "ClientError",
    "Closed",
    "Conflict",
    "Deadlock",
    "Event",
    "Following",
    "Forbidden",
    "HeldLock",
    "IdempotencyConflict",
    "InternalError",
    "InvalidRequest",
    "LockHeld",
    "MethodNotFound",
    "Missed",
    "NotFound",
    "PathsReserved",
    "Position",
    "RateLimited",
    "Refused",
    "Resumed",
    "RunnerFailed",
    "SessionBusy",
    "StaleFence",
    "StoreUnavailable",
    "TimedOut",
    "TooLarge",
    "TooManyConnections",
    "TooSlow",
    "Turn",
    "TurnFailed",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
]
