"""Base64 as strict decoders want it, and bytes in events."""

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.core import payload
from hubbub.core.values import Event
from hubbub.errors import InvalidRequest


def event(kind: str, data: bytes) -> Event:
    """Make an event."""
    return Event(1, "id", "t", kind, "operator", 0, msgspec.Raw(data))


@given(st.binary())
def test_whatever_is_encoded_is_right_and_comes_out_again(plain: bytes) -> None:
    """Encoded bytes pass the check unchanged, have the right size, and survive an event."""
    text = base64.b64encode(plain).decode()
    checked = payload.check_base64(text)
    assert checked == text.encode() == payload.encode(plain)
    assert payload.size(checked) == len(plain)
    wrapped = bytes(payload.wrap(checked))
    assert msgspec.json.decode(wrapped) == {"payload": text}
    assert payload.unwrap(event(payload.BYTES, wrapped)) == checked


@pytest.mark.parametrize(
    "text",
    ["a", "aG", "aGk", "aGk==", "aGk= ", " aGk=", "aG\nk=", "aGl=", "QR==", "====", "-_-_", "é"],
)
def test_other_base64_is_refused(text: str) -> None:
    """Missing padding, blanks, leftover bits and other alphabets are not base64 here."""
    with pytest.raises(InvalidRequest, match="invalid base64 in payload"):
        payload.check_base64(text)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("message", b'{"payload":"aGk="}'),
        ("bytes", b'{"payload":"aGk"}'),
        ("bytes", b'{"payload":"aGk=","x":"y"}'),
        ("bytes", b'{"x":"aGk="}'),
        ("bytes", b'{"payload":"aGk=" }x'),
        ("bytes", b'{ "payload":"aG"}'),
        ("bytes", b'{ "payload":"\\u00e9"}'),
        ("bytes", b'{ "payload":"aGk=","x":"y"}'),
        ("bytes", b"7"),
        ("message", b"7"),
    ],
)
def test_other_events_carry_their_json(kind: str, data: bytes) -> None:
    """Only the one form of the one kind is bytes; nothing unchecked is ever spliced."""
    assert payload.unwrap(event(kind, data)) == base64.b64encode(data)


@pytest.mark.parametrize(
    "data", [b'{ "payload": "aGk=" }', b'{"payload":"aGk=" }', b'{"payload" :"aGk\\u003d"}']
)
def test_other_doors_may_write_the_form_with_blanks(data: bytes) -> None:
    """Bytes that a hubbub client publishes are bytes however its JSON is laid out."""
    assert payload.unwrap(event(payload.BYTES, data)) == b"aGk="
