"""Sessions as clients read them: rows of lists, titles, previews and counts. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hubbub.core.chat.conversation import Session, SessionRow


TITLE_CHARACTERS = 60
"""Characters of a title that is made from a message at most."""
PREVIEW_CHARACTERS = 120
"""Characters of the last message in a row at most."""
RECENT_IN_HEALTH = 5
RECENT_IN_STATUS = 10
PATH = "(multiple)"
"""Where sessions are stored: hubbub keeps them in its own store, not in a file per agent."""

_ROW_FIELDS = (
    "label",
    "displayName",
    "channel",
    "subject",
    "chatType",
    "origin",
    "systemSent",
    "abortedLastRun",
    "thinkingLevel",
    "verboseLevel",
    "reasoningLevel",
    "elevatedLevel",
    "sendPolicy",
    "inputTokens",
    "outputTokens",
    "totalTokens",
    "responseUsage",
    "modelProvider",
    "model",
    "contextTokens",
    "deliveryContext",
    "lastChannel",
    "lastTo",
    "lastAccountId",
)


class Block(msgspec.Struct, frozen=True):
    """One block of a message's content."""

    type: str = ""
    text: str = ""


class Message(msgspec.Struct, frozen=True):
    """What this door reads of a stored message."""

    role: str = ""
    content: str | list[Block] = ""


def text_of(message: msgspec.Raw | None) -> str:
    """Give the text of a stored message; empty for one that has none, or is odd."""
    if message is None:
        return ""
    try:
        content = msgspec.json.decode(message, type=Message).content
    except msgspec.DecodeError:
        return ""
    if isinstance(content, str):
        return content
    return "\n".join(block.text for block in content if block.type == "text")


def row(found: SessionRow, *, with_title: bool = False, with_last: bool = False) -> dict[str, Any]:
    """Give one row of ``sessions.list``."""
    session, fields = found.session, found.session.fields
    shown = {name: fields[name] for name in _ROW_FIELDS if name in fields}
    shown.setdefault("systemSent", False)
    shown.setdefault("abortedLastRun", False)
    shown.setdefault("totalTokens", 0)
    head = {
        "key": session.key,
        "kind": kind_of(session.key, fields),
        "updatedAt": session.updated_at,
        "sessionId": session.session_id,
    }
    if with_title and (title := title_of(found)):
        shown["derivedTitle"] = title
    if with_last and (last := one_line(text_of(found.last))):
        shown["lastMessagePreview"] = cut(last, PREVIEW_CHARACTERS)
    return {**head, **shown}


def kind_of(key: str, fields: Mapping[str, Any]) -> str:
    """Say what kind of conversation a session is."""
    if key in {"global", "unknown"}:
        return key
    is_group = fields.get("chatType") in {"group", "channel"} or ":group:" in key
    return "group" if is_group or ":channel:" in key else "direct"


def title_of(found: SessionRow) -> str:
    """Give the display name, else the subject, else the first words of the conversation."""
    for name in ("displayName", "subject"):
        value = found.session.fields.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return cut(one_line(text_of(found.first_user)), TITLE_CHARACTERS)


def one_line(text: str) -> str:
    """Give a text with every run of blanks as one space."""
    return " ".join(text.split())


def cut(text: str, characters: int) -> str:
    """Cut a text at a word, if there is one not too far back, and mark the cut."""
    if len(text) <= characters:
        return text
    head = text[: characters - 1]
    space = head.rfind(" ")
    return (head[:space] if space > characters * 0.6 else head) + "…"


def counted(sessions: Sequence[Session], now_ms: int) -> dict[str, Any]:
    """Give what ``health`` says of sessions; newest first in, newest first out."""
    recent = [
        {"key": s.key, "updatedAt": s.updated_at, "age": max(0, now_ms - s.updated_at)}
        for s in sessions[:RECENT_IN_HEALTH]
    ]
    return {"path": PATH, "count": len(sessions), "recent": recent}


def recent(sessions: Sequence[Session], now_ms: int) -> list[dict[str, Any]]:
    """Give the rows of ``status``."""
    return [_recent(session, now_ms) for session in sessions[:RECENT_IN_STATUS]]


def _recent(session: Session, now_ms: int) -> dict[str, Any]:
    fields = session.fields
    total, context = fields.get("totalTokens"), fields.get("contextTokens")
    remaining = used = None
    if isinstance(total, int) and isinstance(context, int) and context > 0:
        remaining, used = max(0, context - total), min(999, round(100 * total / context))
    flags = [
        f"{name}:{fields[field]}"
        for name, field in (("think", "thinkingLevel"), ("verbose", "verboseLevel"))
        if isinstance(fields.get(field), str)
    ]
    return {
        "agentId": session.agent,
        "key": session.key,
        "kind": kind_of(session.key, fields),
        "sessionId": session.session_id,
        "updatedAt": session.updated_at,
        "age": max(0, now_ms - session.updated_at),
        "model": fields.get("model"),
        "totalTokens": total,
        "contextTokens": context,
        "remainingTokens": remaining,
        "percentUsed": used,
        "flags": flags,
    }
