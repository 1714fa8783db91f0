"""Messages as JSON: built, read in all known shapes, taken over from elsewhere."""

from typing import Any

import msgspec
import pytest

from hubbub.core.chat.messages import (
    Image,
    assistant_message,
    foreign_message,
    images_of,
    role_of,
    shorten,
    text_of,
    user_message,
    whole,
)
from hubbub.errors import InvalidRequest


def test_user_message_has_text_then_images() -> None:
    """The shape that chat clients read: text block, image blocks, milliseconds."""
    message = msgspec.json.decode(user_message("hi", [Image("AAAA", "image/png")], at=7))
    assert message == {
        "role": "user",
        "content": [
            {"type": "text", "text": "hi"},
            {"type": "image", "data": "AAAA", "mimeType": "image/png"},
        ],
        "timestamp": 7,
    }
    assert images_of(message) == [
        msgspec.Raw(b'{"type":"image","data":"AAAA","mimeType":"image/png"}')
    ]


def test_user_message_without_text_has_only_images() -> None:
    """No empty text block stands before an image."""
    message = msgspec.json.decode(user_message("", [Image("AAAA", "image/png")], at=7))
    assert [block["type"] for block in message["content"]] == ["image"]


def test_assistant_message_of_a_good_turn() -> None:
    """Answers carry model, usage and why they stop."""
    usage = {"input": 1, "output": 2, "totalTokens": 3}
    message = assistant_message("yo", at=7, usage=usage, model="m", provider="p")
    assert msgspec.json.decode(message) == {
        "role": "assistant",
        "content": [{"type": "text", "text": "yo"}],
        "provider": "p",
        "model": "m",
        "api": "hubbub",
        "usage": usage,
        "stopReason": "stop",
        "timestamp": 7,
    }


def test_assistant_message_of_a_failed_turn() -> None:
    """A failure has no content, its reason, and zero usage."""
    message = msgspec.json.decode(assistant_message("", at=7, stop_reason="error", error="500"))
    assert (message["content"], message["stopReason"]) == ([], "error")
    assert (message["errorMessage"], message["usage"]["totalTokens"]) == ("500", 0)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "plain"}, "plain"),
        ({"text": "old"}, "old"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "a\nb"),
        ({"content": [{"text": "untyped"}, {"type": "thinking", "thinking": "x"}]}, "untyped"),
        ({"content": [{"type": "text", "text": 7}, "odd"]}, ""),
        ({"content": 7}, ""),
        ({}, ""),
    ],
)
def test_text_of_known_shapes(message: dict[str, Any], text: str) -> None:
    """Text is found in all shapes that transcripts have, and nowhere else."""
    assert text_of(message) == text


def test_images_of_a_message_without_blocks() -> None:
    """A plain text has no images."""
    assert images_of({"content": "plain"}) == []


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        ("user", "user"),
        ("assistant", "assistant"),
        ("toolResult", "tool"),
        ("tool", "tool"),
        ("system", "system"),
        ("bashExecution", "other"),
        (None, "other"),
    ],
)
def test_role_in_a_preview(role: object, shown: str) -> None:
    """Previews know five roles."""
    assert role_of({"role": role}) == shown


def test_shorten_cuts_to_one_line() -> None:
    """A long text ends in an ellipsis within its limit; a short one is only put on one line."""
    assert shorten("a\n b", 20) == "a b"
    assert shorten("12345 789012", 8) == "12345 7…"


def test_foreign_message_is_made_compact() -> None:
    """Layout goes, all else stays."""
    raw = msgspec.Raw(b'{ "role": "user",\n "content": "a  b", "x": 1.50 }')
    assert foreign_message(raw) == ("user", b'{"role":"user","content":"a  b","x":1.50}')


@pytest.mark.parametrize("raw", [b"[1]", b'{"role":7}', b"{}", b'{"role":', b'{"role":"\xff"}'])
def test_foreign_message_without_a_role_is_refused(raw: bytes) -> None:
    """What is no message of any kind is not taken over."""
    with pytest.raises(InvalidRequest):
        foreign_message(msgspec.Raw(raw))


def test_half_characters_are_replaced() -> None:
    """What cannot be written as UTF-8 becomes a question mark; all else is untouched."""
    assert whole("a\ud800b") == "a?b"
    assert whole("naïve") == "naïve"
    assert whole("plain") == "plain"
