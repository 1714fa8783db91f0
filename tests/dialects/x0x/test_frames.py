"""Commands, ids and bodies, without a socket."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.dialects.base import Request
from hubbub.dialects.x0x import frames
from hubbub.dialects.x0x.rest import PublishBody
from hubbub.errors import InvalidRequest, TooLarge


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"type":"ping"}', frames.Ping()),
        ('{"x":1,"type":"ping"}', frames.Ping()),
        ('{"type":"subscribe","topics":["a"]}', frames.Subscribe(["a"])),
        (
            '{"type":"subscribe","topics":[],"backfill":{}}',
            frames.Subscribe([], frames.Backfill(0)),
        ),
        ('{"type":"unsubscribe","topics":["a"]}', frames.Unsubscribe(["a"])),
        ('{"type":"publish","topic":"","payload":""}', frames.Publish("", "")),
        ('{"type":"send_direct","agent_id":"x","payload":"y"}', frames.SendDirect("x", "y")),
    ],
)
def test_commands(text: str, command: frames.Command) -> None:
    """Every command is read; fields that nobody knows are ignored."""
    assert frames.decode(text) == command


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "invalid command: "),
        ("{", "invalid command: "),
        ("[]", "invalid command: "),
        ("{}", "invalid command: "),
        ('{"type":7}', "invalid command: "),
        ('{"type":"ping"', "invalid command: "),
        ('{"type":"subscribe"}', "invalid command: .*topics"),
        ('{"type":"subscribe","topics":[],"backfill":{"limit":-1}}', "invalid command: .*>= 0"),
        ('{"type":"publish","topic":"t","payload":"\\ud800"}', "invalid command: "),
        ("[" * 100_000, "invalid command: "),
        (
            '{"type":"dance"}',
            "unknown variant `dance`, expected one of `subscribe`, `unsubscribe`, `publish`, ",
        ),
    ],
)
def test_bad_commands_say_what_is_wrong(text: str, reason: str) -> None:
    """What is no command is told so, and why."""
    with pytest.raises(InvalidRequest, match=reason):
        frames.decode(text)


@given(st.text())
def test_no_text_is_more_than_an_invalid_command(text: str) -> None:
    """Whatever a client sends that is no command is answered as such."""
    with pytest.raises(InvalidRequest, match=r"\Ainvalid command: "):
        frames.decode(text)


def test_agent_ids_are_64_hex_characters() -> None:
    """Upper case is taken for lower, all else is refused with x0x's words."""
    assert frames.agent_id("AB" * 32) == "ab" * 32
    for text, reason in (
        ("zz", "invalid hex"),
        ("abc", "invalid hex"),
        ("", "got 0"),
        ("abcd", "expected 32 bytes .64 hex chars., got 2"),
        ("ab" * 33, "got 33"),
    ):
        with pytest.raises(InvalidRequest, match=reason):
            frames.agent_id(text)


def test_server_frames_are_compact_json() -> None:
    """Shell clients compare text, so there are no blanks."""
    assert frames.subscribed(["a b"]) == b'{"type":"subscribed","topics":["a b"]}'
    assert frames.live("t") == b'{"type":"live","topic":"t"}'
    assert json.loads(frames.connected("s", "a")) == {
        "type": "connected",
        "session_id": "s",
        "agent_id": "a",
    }


def body(text: bytes, content_type: str = "application/json") -> PublishBody:
    """Read a body as ``POST /publish`` does."""
    request = Request(
        method="POST", path="/publish", headers={"Content-Type": content_type}, body=text
    )
    return frames.body_of(request, PublishBody, max_bytes=64)


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/x+json"]
)
def test_bodies_are_json_by_type(content_type: str) -> None:
    """Every way to say JSON is taken."""
    assert body(b'{"topic":"t","payload":""}', content_type) == PublishBody("t", "")


@pytest.mark.parametrize(
    ("text", "content_type", "kind", "status"),
    [
        (b"{}", "text/plain", frames.UnsupportedMediaType, 415),
        (b"{}", "", frames.UnsupportedMediaType, 415),
        (b" " * 65, "application/json", TooLarge, 413),
        (b"{", "application/json", InvalidRequest, 400),
        (b'{"topic":"\xff","payload":""}', "application/json", InvalidRequest, 400),
        (b"[]", "application/json", frames.WrongShape, 422),
        (b'{"topic":"t"}', "application/json", frames.WrongShape, 422),
    ],
)
def test_bad_bodies_have_the_status_that_says_why(
    text: bytes, content_type: str, kind: type[InvalidRequest | TooLarge], status: int
) -> None:
    """Wrong type, too large, no JSON and the wrong shape are four different mistakes."""
    with pytest.raises(kind) as refused:
        body(text, content_type)
    assert refused.value.http_status == status
