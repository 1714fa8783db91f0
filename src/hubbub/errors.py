"""Everything that can go wrong, as one tree.

HubbubError
├── ProtocolError            the peer broke the rules of its wire
├── RequestError             the caller asked for something that cannot be
│   ├── InvalidRequest       a field is missing, of the wrong type or out of range
│   ├── Unauthorized         no token, or one that we do not know
│   ├── Forbidden            a known caller without the right to do this
│   ├── NotFound             no such thing
│   ├── Conflict             the thing is not in a state that allows this
│   │   ├── IdempotencyConflict  same key, other request
│   │   ├── LockHeld             another agent holds the lock
│   │   ├── PathsReserved        another agent has reserved such paths
│   │   ├── Deadlock             those who hold it wait for the caller
│   │   └── StaleFence           a newer lock grant exists
│   ├── TooLarge             over a named limit
│   ├── TooManyRequests      over a rate; the same request may succeed a little later
│   ├── TooManyConnections   as many connections are open as may be
│   ├── TooSlow              the request did not come in time
│   ├── Unavailable          the peer that should do this is not here
│   └── RunnerFailed         an agent could not finish its turn
├── InternalError            our fault
├── StoreUnavailable         the disk is full or the store is broken
├── StartError               an address is taken, the data directory is in use, the store is newer
└── ConfigError              a setting is unknown or has a value that cannot be

Each class carries a stable ``code``, whether the same request may succeed later, and a
hint of the HTTP status. Texts are built here; nobody parses them.
"""

import math
from collections.abc import Sequence
from typing import ClassVar


class HubbubError(Exception):
    """Base of all errors that a caller may see."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False
    http_status: ClassVar[int] = 500
    retry_after_s: float | None = None
    """Seconds after which the same request may succeed, where that is known."""

    def details(self) -> dict[str, object]:
        """Give what a program can use besides the code; for doors that have a place for it."""
        return {}


class ProtocolError(HubbubError):
    """The peer broke the rules of its wire protocol."""

    code = "protocol_error"
    http_status = 400


class RequestError(HubbubError):
    """The caller asked for something that cannot be done."""

    code = "bad_request"
    http_status = 400


class InvalidRequest(RequestError):
    """A field is missing, of the wrong type or out of range."""

    code = "invalid_request"


class Unauthorized(RequestError):
    """No token, or one that this daemon does not know."""

    code = "unauthorized"
    http_status = 401


class Forbidden(RequestError):
    """The caller is known and may not do this."""

    code = "forbidden"
    http_status = 403


class NotFound(RequestError):
    """There is no such thing."""

    code = "not_found"
    http_status = 404

    def __init__(self, what: str, name: object) -> None:
        """Say what kind of thing was looked for, and under which name."""
        super().__init__(what, name)
        self.what, self.name = what, name

    def __str__(self) -> str:
        """Name the thing that is missing."""
        return f"{self.what} {self.name} not found"


class Conflict(RequestError):
    """The thing is not in a state that allows this."""

    code = "conflict"
    http_status = 409


class IdempotencyConflict(Conflict):
    """The idempotency key was used before with another request."""

    code = "idempotency_conflict"

    def __init__(self, key: str) -> None:
        """Remember the key."""
        super().__init__(key)
        self.key = key

    def __str__(self) -> str:
        """Name the key and the way out."""
        return f"idempotency key {self.key!r} was used with another request; use a new key"


class SessionBusy(Conflict):
    """A turn of this session runs, and the message was not to wait for it."""

    code = "session_busy"
    retryable = True

    def __init__(self, session: str, run_id: str) -> None:
        """Remember which session, and the turn that it is busy with."""
        super().__init__(session, run_id)
        self.session, self.run_id = session, run_id

    def __str__(self) -> str:
        """Name the turn and the ways out."""
        return (
            f"session {self.session} is busy with run {self.run_id}; nothing was stored: send it "
            "again later, or with another multitask strategy"
        )


class LockHeld(Conflict):
    """Another agent holds the lock."""

    code = "lock_held"
    retryable = True

    def __init__(self, issue: int, *, holder: str, expires_at_ms: int) -> None:
        """Remember who holds which issue, and until when (Unix milliseconds)."""
        super().__init__(issue, holder, expires_at_ms)
        self.issue, self.holder, self.expires_at_ms = issue, holder, expires_at_ms

    def details(self) -> dict[str, object]:
        """Say who holds it, and until when."""
        return {"holder": self.holder, "expires_at": self.expires_at_ms}

    def __str__(self) -> str:
        """Name the holder."""
        return f"issue {self.issue} is held by {self.holder}"


class PathsReserved(Conflict):
    """Another agent has reserved paths that overlap, or waits in front for such."""

    code = "paths_reserved"
    retryable = True

    def __init__(self, who: str, conflicts: Sequence[object] = ()) -> None:
        """Say who has what, and until when, in words and as values."""
        super().__init__(who, conflicts)
        self.who, self.conflicts = who, conflicts

    def details(self) -> dict[str, object]:
        """Give what stands in the way; one without ``id`` waits in front."""
        return {"conflicts": self.conflicts}

    def __str__(self) -> str:
        """Name all that stand in the way."""
        return f"these paths overlap with others: {self.who}"


class Deadlock(Conflict):
    """The caller would wait for agents that wait for the caller."""

    code = "deadlock"
    retryable = True

    def __init__(self, circle: str, cycle: Sequence[object] = ()) -> None:
        """Remember the circle, in words and as values."""
        super().__init__(circle, cycle)
        self.circle, self.cycle = circle, cycle

    def details(self) -> dict[str, object]:
        """Give the circle."""
        return {"cycle": self.cycle}

    def __str__(self) -> str:
        """Name the circle and the way out."""
        return f"nobody in this circle can go on, release something: {self.circle}"


class StaleFence(Conflict):
    """A newer grant of this lock exists; the caller lost it."""

    code = "stale_fence"

    def __init__(self, number: int, *, presented: int, current: int, what: str = "issue") -> None:
        """Remember both fence numbers."""
        super().__init__(number, presented, current, what)
        self.issue, self.presented, self.current, self.what = number, presented, current, what

    def __str__(self) -> str:
        """Show both numbers, or that the grant itself has ended."""
        if self.what == "reservation":
            return f"reservation {self.issue} is stale: it has ended"
        if self.presented == self.current:
            return f"fence {self.presented} of issue {self.issue} is stale: its lock has ended"
        return f"fence {self.presented} of issue {self.issue} is stale; it is {self.current} now"


class TooLarge(RequestError):
    """Something is over a named limit."""

    code = "too_large"
    http_status = 413


class TooManyRequests(RequestError):
    """The caller sends more than it may; nothing of this request was done."""

    code = "rate_limited"
    retryable = True
    http_status = 429

    def __init__(self, retry_after_s: float) -> None:
        """Remember when the caller may send again."""
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s

    @property
    def retry_after_ms(self) -> int:
        """Whole milliseconds to wait, never too few."""
        return math.ceil((self.retry_after_s or 0) * 1000)

    def details(self) -> dict[str, object]:
        """Say when to come back."""
        return {"retry_after_ms": self.retry_after_ms}

    def __str__(self) -> str:
        """Name the time to wait."""
        return f"too many requests; try again in {self.retry_after_ms} ms"


class TooManyConnections(RequestError):
    """As many connections are open as may be; some have to be closed first."""

    code = "too_many_connections"
    retryable = True
    http_status = 503
    retry_after_s = 1.0

    def __init__(self, whose: str, most: int) -> None:
        """Remember whose connections are counted, and how many there may be."""
        super().__init__(whose, most)
        self.whose, self.most = whose, most

    def __str__(self) -> str:
        """Name the limit and what would help."""
        return f"{self.whose} has {self.most} connections open, as many as may be; close some"


class TooSlow(RequestError):
    """The rest of a request did not come in time."""

    code = "too_slow"
    http_status = 408


class Unavailable(RequestError):
    """The peer that should do this is not here; it may come back."""

    code = "unavailable"
    retryable = True
    http_status = 503


class RunnerFailed(RequestError):
    """An agent could not finish its turn; the text is for people."""

    code = "runner_failed"
    http_status = 502


class InternalError(HubbubError):
    """Our fault; logged with a traceback, told to the caller without one."""

    code = "internal_error"


class StoreUnavailable(HubbubError):
    """The store cannot take writes now: disk full, I/O error.

    The store logs it when it begins; a traceback for each caller would fill what is left.
    """

    code = "store_unavailable"
    retryable = True
    http_status = 503


class StartError(HubbubError):
    """The daemon cannot start; the command ends with exit code 3."""

    code = "start_error"


class ConfigError(HubbubError):
    """A setting cannot be; the command ends with exit code 2."""

    code = "config_error"
