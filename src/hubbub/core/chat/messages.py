"""Messages of a conversation as JSON, in the shape that chat clients read them in. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from hubbub.errors import InvalidRequest


API = "hubbub"
"""Value of ``api`` in the answers that this daemon stores."""
NO_USAGE = {"input": 0, "output": 0, "totalTokens": 0}

StopReason = Literal["stop", "error", "injected", "aborted"]
ItemRole = Literal["user", "assistant", "tool", "system", "other"]

_ROLES: Mapping[str, ItemRole] = {
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "toolResult": "tool",
    "system": "system",
}
_TEXT_BLOCKS = ("text", "input_text", "output_text")


class _Text(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    text: str


class Image(
    msgspec.Struct, frozen=True, tag_field="type", tag="image", rename={"mime_type": "mimeType"}
):
    """An image within a message."""

    data: str
    """Base64."""
    mime_type: str


class _User(msgspec.Struct, frozen=True, tag_field="role", tag="user"):
    content: list[_Text | Image]
    timestamp: int


class _Assistant(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="role",
    tag="assistant",
    rename="camel",
    omit_defaults=True,
):
    content: list[_Text]
    provider: str | None = None
    model: str | None = None
    api: str
    usage: Mapping[str, int]
    stop_reason: StopReason
    error_message: str | None = None
    timestamp: int


def user_message(text: str, images: Sequence[Image], *, at: int) -> msgspec.Raw:
    """Give the message of a user.

    Args:
        at: Unix time in milliseconds.
    """
    texts = [_Text(text)] if text else []
    return msgspec.Raw(msgspec.json.encode(_User([*texts, *images], at)))


def assistant_message(
    text: str,
    *,
    at: int,
    stop_reason: StopReason = "stop",
    error: str | None = None,
    usage: Mapping[str, int] | None = None,
    model: str | None = None,
    provider: str | None = None,
) -> msgspec.Raw:
    """Give the message of an agent; without text it has no content."""
    message = _Assistant(
        content=[_Text(text)] if text else [],
        provider=provider,
        model=model,
        api=API,
        usage=usage or NO_USAGE,
        stop_reason=stop_reason,
        error_message=error,
        timestamp=at,
    )
    return msgspec.Raw(msgspec.json.encode(message))


def text_of(message: Mapping[str, Any]) -> str:
    """Give the text of a message, whichever of the known shapes it has."""
    content = message.get("content", message.get("text"))
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    blocks = [block for block in content if isinstance(block, dict)]
    texts = [block.get("text") for block in blocks if block.get("type", "text") in _TEXT_BLOCKS]
    return "\n".join(text for text in texts if isinstance(text, str))


def images_of(message: Mapping[str, Any]) -> list[msgspec.Raw]:
    """Give the image blocks of a message."""
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    return [
        msgspec.Raw(msgspec.json.encode(block))
        for block in blocks
        if isinstance(block, dict) and block.get("type") == "image"
    ]


def role_of(message: Mapping[str, Any]) -> ItemRole:
    """Give the role of a message in a preview."""
    return _ROLES.get(str(message.get("role")), "other")


def shorten(text: str, max_chars: int) -> str:
    """Give a text on one line, cut to a number of characters."""
    line = " ".join(text.split())
    return line if len(line) <= max_chars else line[: max_chars - 1].rstrip() + "…"


def foreign_message(raw: msgspec.Raw) -> tuple[str, bytes]:
    """Give the role and the compact JSON of a message that was written elsewhere.

    Raises:
        InvalidRequest: It is not an object with a text as ``role``.
    """
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"a message is not JSON: {error}"
        raise InvalidRequest(message) from None
    role = value.get("role") if isinstance(value, dict) else None
    if not isinstance(role, str):
        message = "a message must be an object with a text as role"
        raise InvalidRequest(message)
    return role, msgspec.json.format(bytes(raw), indent=-1)


def whole(text: str) -> str:
    """Give a text that can be written as UTF-8: half characters are replaced."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text
