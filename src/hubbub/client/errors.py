"""Everything that a call can end with, as one tree.

ClientError
├── Unreachable              no daemon was found, or none answers
├── Closed                   this client was closed while the call waited
├── TimedOut                 no answer in time; nobody knows whether it was done
├── AnswerLost               the connection ended first, and the call cannot be repeated safely
├── Missed                   events between a position and now are gone
├── TurnFailed               the agent's turn ended without an answer
└── Refused                  the daemon's own answer, one class per code:
    ├── InvalidRequest       └── MethodNotFound
    ├── Unauthorized, Forbidden, NotFound, TooLarge, TooSlow, RateLimited, TooManyConnections
    ├── Conflict             └── IdempotencyConflict, SessionBusy, LockHeld, PathsReserved,
    │                            Deadlock, StaleFence
    └── Unavailable, RunnerFailed, InternalError, StoreUnavailable
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec


class ClientError(Exception):
    """Base of all errors of the client."""

    code: str = "client_error"
    """Stable name that programs can rely on."""
    retryable: bool = False
    """Whether the same call may succeed later."""


class Unreachable(ClientError):
    """No daemon was found, or none answers; it may come (back)."""

    code = "unreachable"
    retryable = True


class Closed(ClientError):
    """This client was closed, or not opened yet."""

    code = "closed"


class TimedOut(ClientError, TimeoutError):
    """No answer came in time; nobody knows whether the call was executed.

    Calling again with the same ``idempotency_key`` is safe and tells.
    """

    code = "timed_out"
    retryable = True

    def __init__(self, method: str, timeout_s: float, key: str | None, why: str = "") -> None:
        """Remember what was called, and under which key."""
        super().__init__(method, timeout_s, key, why)
        self.method, self.timeout_s, self.idempotency_key, self.why = method, timeout_s, key, why

    def __str__(self) -> str:
        """Name the call, and what stands in the way."""
        why = f": {self.why}" if self.why else ""
        return f"{self.method} was not answered within {self.timeout_s:g} s{why}"


class AnswerLost(ClientError):
    """The connection ended before the answer, and to send the call again could do it twice."""

    code = "answer_lost"

    def __init__(self, method: str) -> None:
        """Remember what was called."""
        super().__init__(method)
        self.method = method

    def __str__(self) -> str:
        """Name the call and the way out."""
        return (
            f"the connection ended before {self.method} was answered, and it takes no idempotency "
            "key: look whether it was done before you call it again"
        )


class Missed(ClientError):
    """What followed the position is not to be had any more.

    ``follow(..., after=error.position)`` goes on with what there is.
    """

    code = "missed"

    def __init__(self, reason: str, position: Any) -> None:
        """Remember why, and where the events go on."""
        super().__init__(reason, position)
        self.reason, self.position = reason, position

    def __str__(self) -> str:
        """Say why."""
        return f"earlier events are gone ({self.reason})"


class TurnFailed(ClientError):
    """An agent's turn ended without an answer: an error, or somebody aborted it."""

    code = "turn_failed"

    def __init__(self, run_id: str, reason: str) -> None:
        """Remember which turn, and why."""
        super().__init__(run_id, reason)
        self.run_id, self.reason = run_id, reason

    def __str__(self) -> str:
        """Say why."""
        return f"turn {self.run_id} has no answer: {self.reason}"


class Refused(ClientError):
    """The daemon answered with an error."""

    codes: ClassVar[dict[str, type["Refused"]]] = {}
    """Class of each code; filled as the classes below are made."""

    def __init__(
        self, message: str, code: str, *, retryable: bool = False, data: Mapping[str, Any]
    ) -> None:
        """Take over what the daemon said.

        Args:
            data: All of the error's data.
        """
        super().__init__(message)
        self.code, self.retryable, self.data = code, retryable, data

    def __init_subclass__(cls) -> None:
        """Note which code the class is for."""
        Refused.codes[cls.code] = cls


class InvalidRequest(Refused):
    """A parameter is missing, of the wrong type or out of range."""

    code = "invalid_request"


class MethodNotFound(InvalidRequest):
    """The daemon does not know this method; it may be older than this client."""

    code = "method_not_found"


class Unauthorized(Refused):
    """No token, or one that the daemon does not know."""

    code = "unauthorized"


class Forbidden(Refused):
    """The token lacks the scope, or the agent may not do this."""

    code = "forbidden"


class NotFound(Refused):
    """There is no such thing."""

    code = "not_found"


class Conflict(Refused):
    """The thing is not in a state that allows this."""

    code = "conflict"


class IdempotencyConflict(Conflict):
    """The idempotency key was used before with another request."""

    code = "idempotency_conflict"


class SessionBusy(Conflict):
    """A turn of this session runs, and the message was not to wait for it."""

    code = "session_busy"


class LockHeld(Conflict):
    """Another agent holds the lock."""

    code = "lock_held"

    @property
    def holder(self) -> str:
        """Name of that agent."""
        return str(self.data["holder"])

    @property
    def expires_at(self) -> int:
        """Unix time, in milliseconds, at which its lease ends."""
        return int(self.data["expires_at"])


class PathsReserved(Conflict):
    """Another agent has reserved paths that overlap, or waits in front for such."""

    code = "paths_reserved"

    @property
    def conflicts(self) -> list[dict[str, Any]]:
        """What stands in the way; one without ``id`` waits in front."""
        return list(self.data["conflicts"])


class Deadlock(Conflict):
    """The caller would wait for agents that wait for the caller."""

    code = "deadlock"

    @property
    def cycle(self) -> list[dict[str, Any]]:
        """The circle: ``agent``, ``waits_for``, ``held_by`` of each."""
        return list(self.data["cycle"])


class StaleFence(Conflict):
    """A newer grant of this lock exists; the caller lost it."""

    code = "stale_fence"


class TooLarge(Refused):
    """Something is over a named limit."""

    code = "too_large"


class RateLimited(Refused):
    """The caller sends more than it may; the client waits by itself, as long as it has time."""

    code = "rate_limited"

    @property
    def retry_after_s(self) -> float:
        """Seconds to wait."""
        return int(self.data.get("retry_after_ms", 0)) / 1000


class TooManyConnections(Refused):
    """As many connections are open as may be; some have to be closed first."""

    code = "too_many_connections"


class TooSlow(Refused):
    """The rest of a request did not come in time."""

    code = "too_slow"


class Unavailable(Refused):
    """The peer that should do this is not here; it may come back."""

    code = "unavailable"


class RunnerFailed(Refused):
    """An agent could not finish its turn; the text is for people."""

    code = "runner_failed"


class InternalError(Refused):
    """The daemon's fault; it is in its log."""

    code = "internal_error"


class StoreUnavailable(Refused):
    """The store cannot take writes now: disk full, I/O error."""

    code = "store_unavailable"


class Failure(msgspec.Struct, frozen=True):
    """The ``error`` of an answer."""

    code: int = 0
    message: str = ""
    data: dict[str, Any] = {}

    def error(self) -> Refused:
        """Make the error that the caller gets."""
        code = str(self.data.get("code", self.code))
        retryable = self.data.get("retryable") is True
        return refused(self.message, code, retryable=retryable, data=self.data)


def refused(message: str, code: str, *, retryable: bool, data: Mapping[str, Any]) -> Refused:
    """Make the error of a code; one that is not known here is a plain ``Refused``."""
    return Refused.codes.get(code, Refused)(message, code, retryable=retryable, data=data)
