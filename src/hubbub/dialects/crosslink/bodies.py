"""Request bodies and parameters, refused as the original's framework refuses them."""

import re
from typing import Any, Literal, TypeVar

import msgspec

from hubbub.core.tracker.issues import Act, Priority
from hubbub.dialects.base import Request
from hubbub.errors import InvalidRequest, ProtocolError


T = TypeVar("T")

FENCE_HEADER = "Lock-Fence"
KEY_HEADER = "Idempotency-Key"

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_JSON_TYPE = re.compile(r"\s*application/([\w.+-]+\+)?json\s*(;.*)?", re.IGNORECASE)
_MAX_I64 = 2**63 - 1


class PlainRefusal(ProtocolError):
    """The request is refused before its handler; answered as plain text."""

    def __init__(self, status: int, text: str) -> None:
        """Remember the status and what to say."""
        super().__init__(text)
        self.status = status


class NewIssue(msgspec.Struct, frozen=True):
    """Body of ``POST /issues`` and, the parent left out, of ``POST /issues/{id}/subissue``."""

    title: str
    description: str | None = None
    priority: Priority | None = None
    parent_id: int | None = None


class IssueChange(msgspec.Struct, frozen=True):
    """Body of ``PATCH /issues/{id}``."""

    title: str | None = None
    description: str | None = None
    priority: Priority | None = None


class NewComment(msgspec.Struct, frozen=True):
    """Body of ``POST /issues/{id}/comments``; other kinds are not for this door."""

    content: str
    kind: (
        Literal[
            "note",
            "plan",
            "decision",
            "observation",
            "blocker",
            "resolution",
            "result",
            "intervention",
        ]
        | None
    ) = None
    trigger_type: str | None = None
    intervention_context: str | None = None


class NewLabel(msgspec.Struct, frozen=True):
    """Body of ``POST /issues/{id}/labels``."""

    label: str


class NewBlocker(msgspec.Struct, frozen=True):
    """Body of ``POST /issues/{id}/block``."""

    blocker_id: int


class LockNotice(msgspec.Struct, frozen=True):
    """Body of ``POST /locks/notify``."""

    issue_id: int
    action: str
    agent_id: str


class LockRequest(msgspec.Struct, frozen=True):
    """Body, which may be missing, of claim, release and steal."""

    agent_id: str | None = None
    lease_ms: int | None = None
    reason: str | None = None
    fence: int | None = None


def body_of(request: Request, shape: type[T]) -> T:
    """Read a JSON body.

    Raises:
        PlainRefusal: 415 without the right content type, 400 for what is no JSON, 422 for
            JSON of another shape.
    """
    if not _JSON_TYPE.fullmatch(request.headers.get("Content-Type", "")):
        raise PlainRefusal(415, "send the body with Content-Type: application/json")
    try:
        text = request.body.decode()
        return msgspec.json.decode(text, type=shape)
    except msgspec.ValidationError as error:
        # The first wrong field is reported before the rest of the text was looked at.
        _check_json(request.body)
        raise PlainRefusal(422, f"the JSON body does not fit: {error}") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise PlainRefusal(400, f"the body is no JSON: {error}") from None


def optional_body_of(request: Request, shape: type[T]) -> T:
    """Read a JSON body; without one everything has its default.

    Raises:
        PlainRefusal: As ``body_of``.
    """
    return body_of(request, shape) if request.body else shape()


def number_of(request: Request, name: str) -> int:
    """Read an integer that is a part of the path.

    Raises:
        PlainRefusal: 400, it is none.
    """
    return _integer(name, request.params[name])


def query_number(request: Request, name: str) -> int | None:
    """Read an integer of the query.

    Raises:
        PlainRefusal: 400, it is none.
    """
    text = request.query.get(name)
    return None if text is None else _integer(name, text)


def act_of(request: Request, fence: int | None = None) -> Act:
    """Say who asks, with the key and the fence that the headers carry.

    Raises:
        InvalidRequest: The fence is no number.
    """
    text = request.headers.get(FENCE_HEADER)
    if fence is None and text is not None:
        if not _INTEGER.fullmatch(text):
            message = f"{FENCE_HEADER} must be the number that the claim was answered with"
            raise InvalidRequest(message)
        fence = int(text)
    return Act(caller=request.caller, key=request.headers.get(KEY_HEADER), fence=fence)


def _integer(name: str, text: str) -> int:
    if not _INTEGER.fullmatch(text) or abs(int(text)) > _MAX_I64:
        raise PlainRefusal(400, f"{name} must be an integer, not {text[:100]!r}")
    return int(text)


def _check_json(body: bytes) -> Any:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise PlainRefusal(400, f"the body is no JSON: {error}") from None
