"""JSON-RPC 2.0 as hubbub speaks it: pure encoding and decoding.

Source: the JSON-RPC 2.0 specification; one call per message (no batches). Ids are echoed
byte for byte.
"""

import re

import msgspec

from hubbub.core.values import Event, Position
from hubbub.errors import HubbubError, InvalidRequest


PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000

CODES = {
    "invalid_request": INVALID_PARAMS,
    "internal_error": INTERNAL_ERROR,
    "method_not_found": METHOD_NOT_FOUND,
}
"""Our codes that have a number of their own; all others are ``SERVER_ERROR``."""

NULL = msgspec.Raw(b"null")


class Call(msgspec.Struct, frozen=True, gc=False):
    """One call."""

    method: str
    jsonrpc: str = ""
    params: msgspec.Raw = msgspec.Raw(b"{}")
    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class MethodNotFound(InvalidRequest):
    """There is no method of that name."""

    code = "method_not_found"


class BadFrame(Exception):
    """A message that is no call; ``answer`` is what to send back."""

    def __init__(self, code: int, text: str, call_id: msgspec.Raw) -> None:
        """Make the answer; the id is null where none could be read."""
        super().__init__(text)
        self.answer = failure(call_id, code, text, None)


_HEAD = re.compile(
    r"""\s*+\{(?:\s*+"(?:jsonrpc|method|id)"\s*+:\s*+(?:"(?:[^"\\]|\\.)*+"|-?+\d++)\s*+,?+)*+"""
)
_ID = re.compile(r"""[{,]\s*+"id"\s*+:\s*+("(?:[^"\\]|\\.)*+"|-?+\d++)""")
_HEAD_CHARACTERS = 1024
"""Characters at the beginning of what is no call in which its id is looked for."""

_decoder = msgspec.json.Decoder(Call)
_encoder = msgspec.json.Encoder()


def decode(text: str | bytes) -> Call:
    """Read one call.

    Raises:
        BadFrame: This is not JSON, or not a call.
    """
    try:
        call = _decoder.decode(text)
    except msgspec.ValidationError as error:
        message = f"not a JSON-RPC 2.0 call: {error}"
        raise BadFrame(INVALID_REQUEST, message, _id_of(text)) from None
    except RecursionError:
        message = "nested too deeply; some hundreds of levels are read"
        raise BadFrame(PARSE_ERROR, message, _id_of(text)) from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadFrame(PARSE_ERROR, f"not JSON: {error}", _id_of(text)) from None
    if call.jsonrpc != "2.0":
        message = 'not a JSON-RPC 2.0 call: "jsonrpc" must be "2.0"'
        raise BadFrame(INVALID_REQUEST, message, _id_of(text))
    return call


def _id_of(text: str | bytes) -> msgspec.Raw:
    """Find the id of what cannot be read, so that its sender need not wait for an answer.

    It is found where it stands before everything that is nested; else it is null.
    """
    head = text[:_HEAD_CHARACTERS]
    if isinstance(head, bytes):
        head = head.decode(errors="surrogateescape")
    flat = _HEAD.match(head)
    found = None if flat is None else _ID.search(flat[0])
    if found is None:
        return NULL
    try:
        msgspec.json.decode(found[1])
    except (msgspec.DecodeError, UnicodeError):
        return NULL
    return msgspec.Raw(found[1].encode())


def success(call_id: msgspec.Raw, result: object) -> bytes:
    """Answer a call."""
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (bytes(call_id), _encoder.encode(result))


def failure(call_id: msgspec.Raw, code: int, message: str, data: object | None) -> bytes:
    """Refuse a call."""
    body: dict[str, object] = {"code": code, "message": message}
    if data is not None:
        body["data"] = data
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (bytes(call_id), _encoder.encode(body))


def refusal(call_id: msgspec.Raw, error: HubbubError) -> bytes:
    """Refuse a call with one of our errors."""
    return failure(
        call_id,
        CODES.get(error.code, SERVER_ERROR),
        str(error),
        {"code": error.code, "retryable": error.retryable, **error.details()},
    )


def notification(method: str, params: object) -> bytes:
    """Tell something that nobody asked for."""
    return b'{"jsonrpc":"2.0","method":"%b","params":%b}' % (
        method.encode(),
        _encoder.encode(params),
    )


class EventFrames:
    """Encodes events; remembers the last, which is asked for once per audience."""

    def __init__(self, epoch: str) -> None:
        """Begin with nothing remembered.

        Args:
            epoch: That of the journal, for cursors.
        """
        self._epoch = epoch
        self._event: Event | None = None
        self._json = b""

    def json(self, event: Event) -> bytes:
        """Give an event as JSON."""
        if event is not self._event:
            self._event, self._json = event, _encoder.encode(event)
        return self._json

    def message(self, subscription: int, event: Event) -> bytes:
        """Give the notification that carries an event."""
        return (
            b'{"jsonrpc":"2.0","method":"topics.event","params":{"subscription":%d,"event":%b}}'
            % (subscription, self.json(event))
        )

    def sse(self, event: Event) -> bytes:
        """Give the server-sent event that carries an event; its id is a cursor."""
        cursor = Position(self._epoch, event.seq).cursor() if event.seq else None
        return sse(event.kind, self.json(event), cursor)


def sse(kind: str, data: bytes, cursor: str | None = None) -> bytes:
    """Give the lines of one server-sent event.

    Args:
        data: JSON without line breaks.
    """
    name = kind.replace("\n", " ").replace("\r", " ").encode()
    head = b"" if cursor is None else b"id: %b\n" % cursor.encode()
    return b"%bevent: %b\ndata: %b\n\n" % (head, name, data)
