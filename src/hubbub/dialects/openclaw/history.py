"""What ``chat.history`` shows of a conversation: cleaned, merged, capped. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec


CHANNELS = (
    "WebChat",
    "WhatsApp",
    "Telegram",
    "Signal",
    "Slack",
    "Discord",
    "Google Chat",
    "iMessage",
    "Teams",
    "Matrix",
    "Zalo",
    "Zalo Personal",
    "BlueBubbles",
)
"""Labels with which a message's envelope may begin."""

_ENVELOPE = re.compile(r"\[([^\]]+)\]\s*")
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\dZ| \d\d:\d\d)\b")
_MESSAGE_ID = re.compile(r"\s*\[message_id:\s*[^\]]+\]\s*", re.IGNORECASE)


class Head(msgspec.Struct, frozen=True):
    """What decides how a message is treated."""

    role: str = ""
    timestamp: float = 0


def head_of(message: msgspec.Raw) -> Head:
    """Read a stored message's role and time; an odd one has neither."""
    try:
        return msgspec.json.decode(message, type=Head)
    except msgspec.DecodeError:
        return Head()


def clean(message: msgspec.Raw) -> msgspec.Raw:
    """Take envelope and message ids out of what a user wrote; leave all others alone."""
    if b"[" not in bytes(message) or head_of(message).role != "user":
        return message
    whole: dict[str, Any] = msgspec.json.decode(message)
    changed = False
    for place, name, text in _texts(whole):
        cleaned = clean_text(text)
        if cleaned != text:
            place[name] = cleaned
            changed = True
    return msgspec.Raw(msgspec.json.encode(whole)) if changed else message


def clean_text(text: str) -> str:
    """Strip one leading envelope, then every line that is only a message id."""
    match = _ENVELOPE.match(text)
    if match is not None and _is_envelope(match[1]):
        text = text[match.end() :]
    if "[message_id:" not in text.lower():
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    kept = [line for line in lines if not _MESSAGE_ID.fullmatch(line)]
    return text if len(kept) == len(lines) else "\n".join(kept)


def merge(messages: Sequence[msgspec.Raw], lines: Sequence[msgspec.Raw]) -> list[msgspec.Raw]:
    """Put lines, oldest first, between messages by their time; messages keep their order."""
    if not lines:
        return list(messages)
    merged: list[msgspec.Raw] = []
    waiting = list(reversed(lines))
    for message in messages:
        at = head_of(message).timestamp
        while waiting and at and head_of(waiting[-1]).timestamp < at:
            merged.append(waiting.pop())
        merged.append(message)
    return [*merged, *reversed(waiting)]


def newest(messages: Sequence[msgspec.Raw], *, limit: int, max_bytes: int) -> list[msgspec.Raw]:
    """Keep the newest messages.

    Args:
        limit: So many at most.
        max_bytes: Bytes of them as one JSON array at most; the last is kept in any case.
    """
    kept: list[msgspec.Raw] = []
    size = 1  # the brackets, less the comma that the first message has not got
    for message in reversed(messages[-limit:]):
        size += len(bytes(message)) + 1
        if kept and size > max_bytes:
            break
        kept.append(message)
    kept.reverse()
    return kept


def _is_envelope(header: str) -> bool:
    if _TIME.search(header) is not None:
        return True
    return any(header.startswith(f"{channel} ") for channel in CHANNELS)


def _texts(message: dict[str, Any]) -> Iterable[tuple[dict[str, Any], str, str]]:
    """Give every place of a message where text of the user stands."""
    for name in ("content", "text"):
        value = message.get(name)
        if isinstance(value, str):
            yield message, name, value
    content = message.get("content")
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict) and block.get("type") == "text":
            text = block.get("text")
            if isinstance(text, str):
                yield block, "text", text
