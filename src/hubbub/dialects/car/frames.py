"""JSON-RPC 2.0 as CAR speaks it: pure decoding and encoding.

One object per text message, no batches. Ids of clients are echoed byte for byte; ids of the
daemon's own requests are strings and live in a space of their own, so a client's answer is
a message with an id and no method.
"""

from typing import Any, ClassVar

import msgspec

from hubbub.errors import HubbubError, InvalidRequest, RequestError, TooManyRequests


PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
FAILED = -32603
AUTH_REQUIRED = -32001
HANDSHAKE_REQUIRED = -32005
VERSION_MISMATCH = -32006

ERRORS = {
    "error": FAILED,
    "protocol_error": INVALID_REQUEST,
    "bad_request": FAILED,
    "invalid_request": INVALID_PARAMS,
    "method_not_found": METHOD_NOT_FOUND,
    "unauthorized": FAILED,
    "forbidden": FAILED,
    "not_found": FAILED,
    "conflict": FAILED,
    "idempotency_conflict": FAILED,
    "lock_held": FAILED,
    "paths_reserved": FAILED,
    "deadlock": FAILED,
    "session_busy": FAILED,
    "stale_fence": FAILED,
    "too_large": FAILED,
    "rate_limited": FAILED,
    "too_many_connections": FAILED,
    "too_slow": FAILED,
    "unavailable": FAILED,
    "runner_failed": FAILED,
    "internal_error": FAILED,
    "store_unavailable": FAILED,
    "start_error": FAILED,
    "config_error": FAILED,
}
"""Our codes as CAR's numbers; CAR's own daemon uses -32603 for all that a handler refuses."""

NULL = msgspec.Raw(b"null")
NOT_IDS = (b"{", b"[", b"t", b"f")
"""How a JSON value begins that cannot be an id."""


class Call(msgspec.Struct, frozen=True, gc=False):
    """One request or, where it has no id, one notification from a client."""

    method: str
    params: msgspec.Raw
    id: msgspec.Raw | None = None


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A client's answer to one of our requests."""

    id: msgspec.Raw
    result: msgspec.Raw | None = None
    error: msgspec.Raw | None = None


class _Message(msgspec.Struct, frozen=True, gc=False):
    """Whatever a client sends."""

    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    method: str | msgspec.UnsetType = msgspec.UNSET
    params: msgspec.Raw = NULL
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class BadFrame(Exception):
    """A message that is neither a call nor an answer; ``answer`` is what to send back."""

    def __init__(self, code: int, text: str) -> None:
        """Make the answer, with a null id: what cannot be read has none."""
        super().__init__(text)
        self.answer = failure(NULL, code, text)


class MethodNotFound(InvalidRequest):
    """There is no method of that name here."""

    code = "method_not_found"


class NumberedError(RequestError):
    """An error that has a number of its own on this wire alone."""

    number: ClassVar[int]


class HandshakeRequired(NumberedError):
    """The method needs ``server.handshake`` first."""

    number = HANDSHAKE_REQUIRED

    def __str__(self) -> str:
        """Name the call that is missing; clients look at the beginning."""
        return "protocol handshake required: call server.handshake first"


class VersionMismatch(NumberedError):
    """The client speaks no version that we do."""

    number = VERSION_MISMATCH

    def __init__(self, versions: str) -> None:
        """Name the versions that would be right."""
        super().__init__(versions)
        self.versions = versions

    def __str__(self) -> str:
        """Name what is spoken here; clients look at the beginning."""
        return f"protocol version mismatch: this daemon speaks protocol_version {self.versions}"


_decoder = msgspec.json.Decoder(_Message)
_encoder = msgspec.json.Encoder()


def decode(text: str | bytes) -> Call | Answer:
    """Read one message.

    Raises:
        BadFrame: This is not JSON, or neither a call nor an answer.
    """
    try:
        message = _decoder.decode(text)
    except msgspec.ValidationError as error:
        # Types are checked before the end of the text is seen: is it JSON at all?
        code = INVALID_REQUEST if _is_json(text) else PARSE_ERROR
        raise BadFrame(code, f"not one JSON-RPC 2.0 object: {error}") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadFrame(PARSE_ERROR, f"not JSON: {error}") from None
    request_id = None if isinstance(message.id, msgspec.UnsetType) else message.id
    if request_id is not None and bytes(request_id).startswith(NOT_IDS):
        raise BadFrame(INVALID_REQUEST, "an id is a number, a string or null")
    if not isinstance(message.method, msgspec.UnsetType):
        return Call(message.method, message.params, request_id)
    result = None if isinstance(message.result, msgspec.UnsetType) else message.result
    refusal = None if isinstance(message.error, msgspec.UnsetType) else message.error
    if request_id is None or (result is None and refusal is None):
        raise BadFrame(INVALID_REQUEST, "a call has a method, an answer an id and a result")
    return Answer(request_id, result, refusal)


def _is_json(text: str | bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def params_of(raw: msgspec.Raw, params: type, method: str) -> Any:
    """Read a call's parameters; missing ones and ``null`` are an empty object.

    Raises:
        InvalidRequest: They are not what this method takes.
    """
    data = bytes(raw)
    try:
        return msgspec.json.decode(b"{}" if data == b"null" else data, type=params)
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"params of {method}: {error}"
        raise InvalidRequest(message) from None


def success(request_id: msgspec.Raw, result: object) -> bytes:
    """Answer a request."""
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (bytes(request_id), _encoder.encode(result))


def failure(
    request_id: msgspec.Raw, code: int, message: str, data: dict[str, object] | None = None
) -> bytes:
    """Refuse a request."""
    body: dict[str, object] = {"code": code, "message": message}
    if data is not None:
        body["data"] = data
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (bytes(request_id), _encoder.encode(body))


def refusal(request_id: msgspec.Raw, error: HubbubError) -> bytes:
    """Refuse a request with one of our errors; clients show code, text and data."""
    data: dict[str, object] = {"code": error.code, "retryable": error.retryable}
    if isinstance(error, TooManyRequests):
        data["retry_after_ms"] = error.retry_after_ms
    own = error.number if isinstance(error, NumberedError) else None
    return failure(request_id, own or ERRORS.get(error.code, FAILED), str(error), data)


def request(request_id: str, method: str, params: object) -> bytes:
    """Ask a client for something."""
    body = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
    return _encoder.encode(body)


def notification(method: str, params: object) -> bytes:
    """Tell a client something."""
    return _encoder.encode({"jsonrpc": "2.0", "method": method, "params": params})


def error_text(error: msgspec.Raw) -> str:
    """Read the text of a client's error object, whatever it looks like."""
    value = msgspec.json.decode(error)
    message = value.get("message") if isinstance(value, dict) else value
    return message if isinstance(message, str) else msgspec.json.encode(value).decode()
