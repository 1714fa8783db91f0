"""Rows of sessions: kinds, titles, previews and figures."""

import json
from typing import Any

import msgspec
import pytest

from hubbub.core.chat.conversation import Session, SessionRow
from hubbub.dialects.openclaw import rows


def found(key: str = "agent:main:main", **fields: Any) -> SessionRow:
    """Give a session of a list."""
    session = Session(key=key, agent="main", session_id="s", updated_at=1_000, fields=fields)
    return SessionRow(session=session)


def raw(message: Any) -> msgspec.Raw:
    """Give a stored message."""
    return msgspec.Raw(json.dumps(message).encode())


@pytest.mark.parametrize(
    ("key", "fields", "kind"),
    [
        ("agent:main:main", {}, "direct"),
        ("agent:main:x", {"chatType": "direct"}, "direct"),
        ("agent:main:x", {"chatType": "group"}, "group"),
        ("agent:main:x", {"chatType": "channel"}, "group"),
        ("agent:main:whatsapp:group:7", {}, "group"),
        ("agent:main:slack:channel:7", {}, "group"),
        ("global", {}, "global"),
        ("unknown", {}, "unknown"),
    ],
)
def test_kind_of_a_session(key: str, fields: dict[str, Any], kind: str) -> None:
    """The kind comes from the key and the chat type."""
    assert rows.row(found(key, **fields))["kind"] == kind


def test_row_shows_known_fields_only() -> None:
    """A row has the fields that clients know, and the three that are always there."""
    row = rows.row(found(label="L", lastTo="+1", somethingElse=7))
    assert row == {
        "key": "agent:main:main",
        "kind": "direct",
        "updatedAt": 1_000,
        "sessionId": "s",
        "label": "L",
        "lastTo": "+1",
        "systemSent": False,
        "abortedLastRun": False,
        "totalTokens": 0,
    }


@pytest.mark.parametrize(
    ("fields", "first", "title"),
    [
        ({"displayName": " Desk ", "subject": "S"}, "hello", "Desk"),
        ({"displayName": " ", "subject": "S"}, "hello", "S"),
        ({}, "hello\n  world", "hello world"),
        ({}, "word " * 20, "word word word word word word word word word word word…"),
        ({}, "x" * 80, "x" * 59 + "…"),
        ({}, None, None),
        ({}, "", None),
    ],
)
def test_title(fields: dict[str, Any], first: str | None, title: str | None) -> None:
    """Display name, else subject, else the first words, cut at a word; else none."""
    message = None if first is None else raw({"role": "user", "content": first})
    session = found(**fields).session
    row = rows.row(SessionRow(session=session, first_user=message), with_title=True)
    assert row.get("derivedTitle") == title


def test_last_message_in_a_row() -> None:
    """The last message is one line, cut; what has no text is left out."""
    session = found().session
    blocks = [{"type": "text", "text": "a\nb"}, {"type": "image"}, {"type": "text", "text": "c"}]
    row = rows.row(SessionRow(session=session, last=raw({"content": blocks})), with_last=True)
    assert row["lastMessagePreview"] == "a b c"
    for odd in (raw({"content": 7}), raw([]), None):
        row = rows.row(SessionRow(session=session, last=odd), with_last=True)
        assert "lastMessagePreview" not in row


def test_figures_of_a_recent_session() -> None:
    """What is left of a model's context is told where both figures are known."""
    known = found(totalTokens=50, contextTokens=200, thinkingLevel="high", verboseLevel=7)
    unknown = found(totalTokens=50)
    first, second = rows.recent([known.session, unknown.session], 3_000)
    assert (first["remainingTokens"], first["percentUsed"], first["age"]) == (150, 25, 2_000)
    assert first["flags"] == ["think:high"]
    assert (second["remainingTokens"], second["percentUsed"], second["flags"]) == (None, None, [])


def test_counts_show_the_newest() -> None:
    """Health shows all in number and five of them by name."""
    sessions = [found(f"agent:main:{n}").session for n in range(7)]
    counted = rows.counted(sessions, 1_500)
    assert counted["count"] == 7
    assert [entry["key"] for entry in counted["recent"]] == [f"agent:main:{n}" for n in range(5)]
    assert counted["recent"][0]["age"] == 500
