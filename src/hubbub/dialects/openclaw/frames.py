"""The gateway's frames: pure encoding and decoding, and the constants of this wire.

A client sends ``req``; the gateway sends ``res`` and ``event``. Source: protocol 3 of
clawdbot 2026.1.24-3 (moltbot 2026.1.27 speaks the same).
"""

import json
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from hubbub.dialects.openclaw.problems import problems
from hubbub.errors import HubbubError, InternalError, TooManyRequests


PROTOCOL = 3

INVALID_REQUEST = "INVALID_REQUEST"
UNAVAILABLE = "UNAVAILABLE"
NOT_PAIRED = "NOT_PAIRED"

CLOSE_PLAIN = 1000
CLOSE_PROTOCOL = 1002
CLOSE_POLICY = 1008
CLOSE_RESTART = 1012
CLOSE_BUSY = 1013

MAX_REASON_BYTES = 120
"""Bytes in the reason of a close frame at most (the standard's limit is 123)."""
MAX_TEXT_CHARACTERS = 2000
"""Characters of an error's text at most; it may repeat words of the client."""
MAX_METHOD_CHARACTERS = 120
"""Characters of an unknown method's name that its refusal repeats at most."""

ERRORS = {
    "error": UNAVAILABLE,
    "protocol_error": INVALID_REQUEST,
    "bad_request": INVALID_REQUEST,
    "invalid_request": INVALID_REQUEST,
    "unauthorized": INVALID_REQUEST,
    "forbidden": INVALID_REQUEST,
    "not_found": INVALID_REQUEST,
    "conflict": INVALID_REQUEST,
    "idempotency_conflict": INVALID_REQUEST,
    "lock_held": INVALID_REQUEST,
    "paths_reserved": INVALID_REQUEST,
    "deadlock": INVALID_REQUEST,
    "session_busy": UNAVAILABLE,
    "stale_fence": INVALID_REQUEST,
    "too_large": INVALID_REQUEST,
    "rate_limited": UNAVAILABLE,
    "too_many_connections": UNAVAILABLE,
    "too_slow": UNAVAILABLE,
    "unavailable": UNAVAILABLE,
    "runner_failed": UNAVAILABLE,
    "internal_error": UNAVAILABLE,
    "store_unavailable": UNAVAILABLE,
    "start_error": UNAVAILABLE,
    "config_error": UNAVAILABLE,
}
"""Our codes as this wire's, which has a closed set."""

P = TypeVar("P")
Json = msgspec.Raw
"""JSON that passes through untouched."""

Name = Annotated[str, msgspec.Meta(min_length=1)]
"""Text of one character or more."""
Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class Params(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of the parameters of all methods; names on the wire are in camel case."""


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One ``req`` frame."""

    type: Literal["req"]
    id: Name
    method: Name
    params: Json = Json(b"{}")


class NotJson(Exception):
    """A message that is no JSON: the protocol says nothing to it."""


class IllegalFrame(Exception):
    """JSON that is no request."""

    def __init__(self, request_id: str, text: str) -> None:
        """Remember the frame's id, or ``invalid``, and what is wrong."""
        super().__init__(printable(text))
        self.request_id = request_id


class Refused(Exception):
    """A request that is answered with ``ok: false``.

    Args:
        message: For people: the command-line client shows nothing else.
        payload: Sent beside the error where the protocol wants both.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = INVALID_REQUEST,
        details: object = None,
        payload: object = None,
        retryable: bool = False,
        retry_after_ms: int | None = None,
    ) -> None:
        """Make the error of a failed answer."""
        super().__init__(message)
        self.error: dict[str, object] = {"code": code, "message": printable(message)}
        if details is not None:
            self.error["details"] = details
        if retryable:
            self.error["retryable"] = True
        if retry_after_ms is not None:
            self.error["retryAfterMs"] = retry_after_ms
        self.payload = payload

    @classmethod
    def of(cls, error: Exception) -> "Refused":
        """Give one of our errors, or any other, this wire's shape."""
        if isinstance(error, cls):
            return error
        if not isinstance(error, HubbubError):
            error = InternalError(f"{type(error).__name__}: {error}")
        return cls(
            str(error),
            code=ERRORS.get(error.code, UNAVAILABLE),
            retryable=error.retryable,
            retry_after_ms=error.retry_after_ms if isinstance(error, TooManyRequests) else None,
        )


_decoder = msgspec.json.Decoder(Call)
_encoder = msgspec.json.Encoder()


def decode(text: str) -> Call:
    """Read one request.

    Raises:
        NotJson: The text is no JSON.
        IllegalFrame: It is JSON, but no request.
    """
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        frame = _lenient(text)
        found = problems(Call, frame) or str(error)
        raise IllegalFrame(_id_of(frame), found) from None


def decode_params(call: Call, kind: type[P]) -> P:
    """Read a request's parameters; missing ones and ``null`` are ``{}``.

    Raises:
        Refused: They do not fit; the text names every problem.
    """
    raw = bytes(call.params)
    if raw == b"null":
        raw = b"{}"
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        try:
            found = problems(kind, _lenient(raw)) or str(error)
        except NotJson:
            found = str(error)
        message = f"invalid {call.method} params: {found}"
        raise Refused(message) from None


def response(request_id: str, payload: object) -> bytes:
    """Answer a request."""
    return b'{"type":"res","id":%b,"ok":true,"payload":%b}' % (
        _encoder.encode(request_id),
        _encoder.encode(payload),
    )


def refusal(request_id: str, refused: Refused) -> bytes:
    """Answer a request that failed."""
    body: dict[str, object] = {
        "type": "res",
        "id": request_id,
        "ok": False,
        "error": refused.error,
    }
    if refused.payload is not None:
        body["payload"] = refused.payload
    return _encoder.encode(body)


def event(name: str, payload: object, state: dict[str, int] | None = None) -> bytes:
    """Tell something that nobody asked for; the outbox adds the connection's ``seq``.

    Args:
        state: The counters of presence and health, on events that change them.
    """
    tail = b"" if state is None else b',"stateVersion":%b' % _encoder.encode(state)
    return b'{"type":"event","event":"%b","payload":%b%b}' % (
        name.encode(),
        _encoder.encode(payload),
        tail,
    )


def reason(text: str) -> str:
    """Cut a text so that it fits into a close frame."""
    return printable(text).encode()[:MAX_REASON_BYTES].decode(errors="ignore")


def printable(text: str) -> str:
    """Cut an error's text, and take out what has no UTF-8: halves of surrogate pairs."""
    return text[:MAX_TEXT_CHARACTERS].encode("utf-8", "replace").decode()


def _lenient(text: str | bytes) -> Any:
    """Read JSON that the strict reader refused: huge numbers, halves of surrogate pairs.

    Raises:
        NotJson: It is no JSON for this reader either.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NotJson from None


def _no_constant(name: str) -> None:
    """Refuse ``NaN`` and its kin, which are JSON to Python alone."""
    raise ValueError(name)


def _id_of(frame: object) -> str:
    request_id = frame.get("id") if isinstance(frame, dict) else None
    return request_id if isinstance(request_id, str) and _is_text(request_id) else "invalid"


def _is_text(text: str) -> bool:
    return len(text) > 0 and not any("\ud800" <= letter <= "\udfff" for letter in text)
