"""``sessions.*``: what they take, what they give and what they refuse."""

import pytest

from tests.dialects.openclaw.clients import Frame
from tests.dialects.openclaw.house import Guest, House


async def chatted(house: House, guest: Guest, session: str, text: str) -> None:
    """Have a conversation of two messages."""
    params = {"sessionKey": session, "message": text, "idempotencyKey": f"key-{session}"}
    await guest.call("chat.send", params)
    await house.agent.say(f"key-{session}", f"you said {text}")
    await house.agent.finish(f"key-{session}")
    await guest.event("chat", runId=f"key-{session}", state="final")


async def keys(guest: Guest, **params: object) -> list[str]:
    """List sessions and give their keys."""
    answer = await guest.call("sessions.list", params)
    assert answer["count"] == len(answer["sessions"])
    return [row["key"] for row in answer["sessions"]]


async def test_list_has_rows_and_defaults(house: House, guest: Guest) -> None:
    """A row shows the session under its canonical key; titles and last messages on request."""
    await chatted(house, guest, "main", "hello there")
    answer = await guest.call(
        "sessions.list", {"includeDerivedTitles": True, "includeLastMessage": True}
    )
    assert answer["path"] == "(multiple)"
    assert answer["defaults"] == {
        "modelProvider": "openai",
        "model": "test-model",
        "contextTokens": None,
    }
    (row,) = answer["sessions"]
    assert (row["key"], row["kind"], row["lastChannel"]) == ("agent:main:main", "direct", "webchat")
    assert row["derivedTitle"] == "hello there"
    assert row["lastMessagePreview"] == "you said hello there"
    (plain,) = (await guest.call("sessions.list"))["sessions"]
    assert "derivedTitle" not in plain
    assert "lastMessagePreview" not in plain


async def test_list_can_be_narrowed(guest: Guest) -> None:
    """By agent, label, text and number; special sessions on request only."""
    for key in ("main", "agent:scout:main", "global"):
        await guest.call("sessions.patch", {"key": key, "label": f"label of {key}"})
    assert sorted(await keys(guest)) == ["agent:main:main", "agent:scout:main"]
    assert "global" in await keys(guest, includeGlobal=True)
    assert await keys(guest, agentId="scout") == ["agent:scout:main"]
    assert await keys(guest, label="label of main") == ["agent:main:main"]
    assert await keys(guest, search="SCOUT") == ["agent:scout:main"]
    assert len(await keys(guest, limit=1)) == 1


async def test_preview(house: House, guest: Guest) -> None:
    """The ends of several conversations; caps are cut, not refused."""
    await chatted(house, guest, "main", "hello")
    wanted = ["main", "none", *(f"k{n}" for n in range(80))]
    answer = await guest.call("sessions.preview", {"keys": wanted, "limit": 900, "maxChars": 9_000})
    previews = answer["previews"]
    assert len(previews) == 64
    assert previews[0] == {
        "key": "main",
        "status": "ok",
        "items": [
            {"role": "user", "text": "hello"},
            {"role": "assistant", "text": "you said hello"},
        ],
    }
    assert previews[1] == {"key": "none", "status": "missing", "items": []}


async def test_resolve(guest: Guest) -> None:
    """A session is found by key, id or label; what is not found is named."""
    entry = (await guest.call("sessions.patch", {"key": "main", "label": "desk"}))["entry"]
    for params in ({"key": "main"}, {"label": "desk"}, {"sessionId": entry["sessionId"]}):
        found = await guest.call("sessions.resolve", params)
        assert found == {"ok": True, "key": "agent:main:main"}
    assert await guest.refused("sessions.resolve", {"key": "x"}) == "No session found: x"
    assert "exactly one" in await guest.refused("sessions.resolve", {"key": "x", "label": "y"})


async def test_patch_sets_clears_and_keeps(guest: Guest) -> None:
    """What is named is set, `null` clears, what is not named stays."""
    first = await guest.call("sessions.patch", {"key": "main", "label": "a", "model": "x/y"})
    assert (first["ok"], first["key"]) == (True, "agent:main:main")
    assert first["entry"]["label"] == "a"
    second = await guest.call("sessions.patch", {"key": "main", "label": None})
    assert "label" not in second["entry"]
    assert second["entry"]["modelOverride"] == "y"


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"key": "main", "thinkingLevel": "much"}, "invalid thinkingLevel (use "),
        ({"key": "main", "label": "taken"}, "label already in use: taken"),
        ({"key": "main", "label": ""}, "at /label: must NOT have fewer than 1 characters"),
        ({"key": "main", "label": "x" * 65}, "at /label: must NOT have more than 64 characters"),
        ({"key": "main", "sessionId": "x"}, "at root: unexpected property 'sessionId'"),
        ({}, "must have required property 'key'"),
    ],
)
async def test_patch_refuses(guest: Guest, params: Frame, problem: str) -> None:
    """Values that cannot be are refused in words, and nothing changes."""
    await guest.call("sessions.patch", {"key": "other", "label": "taken"})
    assert problem in await guest.refused("sessions.patch", params)


async def test_reset_begins_anew(house: House, guest: Guest) -> None:
    """A reset gives a new id and an empty history, and keeps the label."""
    await chatted(house, guest, "main", "hello")
    before = (await guest.call("sessions.patch", {"key": "main", "label": "desk"}))["entry"]
    answer = await guest.call("sessions.reset", {"key": "main"})
    assert (answer["ok"], answer["key"]) == (True, "agent:main:main")
    assert answer["entry"]["sessionId"] != before["sessionId"]
    assert (answer["entry"]["label"], answer["entry"]["totalTokens"]) == ("desk", 0)
    assert (await guest.call("chat.history", {"sessionKey": "main"}))["messages"] == []


async def test_delete(house: House, guest: Guest) -> None:
    """A session goes, with what runs in it; the main session stays."""
    running = {"sessionKey": "work", "message": "hello", "idempotencyKey": "k1"}
    await guest.call("chat.send", running)
    await house.agent.began("k1")
    answer = await guest.call("sessions.delete", {"key": "work", "timeoutMs": 5})
    assert answer == {"ok": True, "key": "work", "deleted": True, "archived": []}
    await house.agent.let_go("k1")
    again = await guest.call("sessions.delete", {"key": "work", "deleteTranscript": False})
    assert again["deleted"] is False
    refused = await guest.refused("sessions.delete", {"key": "main"})
    assert refused == "Cannot delete the main session (agent:main:main)."
