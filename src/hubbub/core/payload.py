"""Bytes in the journal: base64 text, checked strictly once and then passed on as it is.

An event of kind ``bytes`` has the data ``{"payload":"<standard base64, padded>"}``. Doors
whose clients send raw bytes publish in this form, so that every byte comes out again; doors
whose clients want bytes get those of any other event as the base64 of its JSON.
"""

import binascii

import msgspec

from hubbub.core.values import Event
from hubbub.errors import InvalidRequest


BYTES = "bytes"
"""Kind of an event that carries bytes."""

_HEAD = b'{"payload":"'
_TAIL = b'"}'


def check_base64(text: str) -> bytes:
    """Give standard base64 as ASCII, ready to be put between quotes.

    Raises:
        InvalidRequest: Another alphabet, missing padding, blanks, or bits after the end.
    """
    try:
        data = text.encode("ascii")
    except UnicodeEncodeError:
        data = b"?"
    if not is_base64(data):
        message = "invalid base64 in payload"
        raise InvalidRequest(message)
    return data


def is_base64(data: bytes) -> bool:
    """Say whether this is standard base64 in its one right form."""
    try:
        plain = binascii.a2b_base64(data, strict_mode=True)
    except binascii.Error:
        return False
    # Strict decoders elsewhere also refuse leftover bits in the last group, as in "aGl=".
    return not data.endswith(b"=") or data[-4:] == encode(plain[-(len(plain) % 3) :])


def encode(plain: bytes) -> bytes:
    """Encode bytes."""
    return binascii.b2a_base64(plain, newline=False)


def size(base64: bytes) -> int:
    """Give the number of bytes that checked base64 stands for."""
    return len(base64) // 4 * 3 - base64[-2:].count(b"=")


def wrap(base64: bytes) -> msgspec.Raw:
    """Make an event's data of checked base64."""
    return msgspec.Raw(_HEAD + base64 + _TAIL)


class _Carrier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Data of an event that carries bytes."""

    payload: str


_carriers = msgspec.json.Decoder(_Carrier)


def unwrap(event: Event) -> bytes:
    """Give what an event carries, as base64 of its bytes or else of its JSON."""
    data = bytes(event.data)
    if event.kind == BYTES:
        inner = data[len(_HEAD) : -len(_TAIL)]
        if not (data.startswith(_HEAD) and data.endswith(_TAIL)):
            inner = _written_otherwise(data)
        # Any client may publish under any kind: what is spliced is checked.
        if is_base64(inner):
            return inner
    return encode(data)


def _written_otherwise(data: bytes) -> bytes:
    """Find the base64 in JSON that another door's client wrote with blanks or escapes."""
    try:
        return _carriers.decode(data).payload.encode("ascii")
    except (msgspec.DecodeError, UnicodeEncodeError):
        return b"?"
