"""``chat.history``: what is cleaned, what is merged, and what is left out."""

import base64
import json
from typing import Any

import msgspec
import pytest

from hubbub.core.chat.conversation import ImportRequest
from hubbub.core.values import OPERATOR
from hubbub.dialects.openclaw.history import clean, clean_text, merge, newest
from hubbub.dialects.openclaw.settings import OpenclawSettings
from tests.dialects.openclaw.clients import NOW_MS, Frame
from tests.dialects.openclaw.house import Guest, House


def raw(message: Any) -> msgspec.Raw:
    """Give a message as it is stored."""
    return msgspec.Raw(msgspec.json.encode(message))


def user(text: str, at: int = NOW_MS) -> Frame:
    """Give a user's message."""
    return {"role": "user", "content": [{"type": "text", "text": text}], "timestamp": at}


async def bring(house: House, messages: list[Frame], key: str = "main") -> None:
    """Put a conversation that was held elsewhere into the house."""
    entry = {"sessionId": "sess-1", "updatedAt": NOW_MS}
    request = ImportRequest(session_key=key, entry=entry, messages=[raw(m) for m in messages])
    await house.hub.chat.import_session(OPERATOR, request)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[WhatsApp +1555 2026-01-27T10:17Z] hello", "hello"),
        ("[2026-01-27 10:17] hello", "hello"),
        ("[Zalo Personal x] hello", "hello"),
        ("[WebChat ann]\n hello", "hello"),
        ("[WebChatter ann] hello", "[WebChatter ann] hello"),
        ("[2026-01-27] hello", "[2026-01-27] hello"),
        ("[note] hello", "[note] hello"),
        (" [WebChat ann] hello", " [WebChat ann] hello"),
        ("[WebChat a] [WebChat b] hello", "[WebChat b] hello"),
        ("[WebChat open hello", "[WebChat open hello"),
        ("hello\n[message_id: 7]\nworld", "hello\nworld"),
        ("hello\r\n [Message_ID: 7] \r\nworld", "hello\nworld"),
        ("see [message_id: 7]", "see [message_id: 7]"),
        ("[WebChat ann] hello\n[message_id: 7]", "hello"),
        ("hello\r\nworld", "hello\r\nworld"),
    ],
)
def test_text_of_a_user_is_cleaned(text: str, expected: str) -> None:
    """One leading envelope and lines of nothing but a message id go; the rest stays."""
    assert clean_text(text) == expected


def test_cleaning_concerns_users_alone() -> None:
    """Every place of a user's text is cleaned; what others wrote stays byte for byte."""
    text = "[WebChat ann] hi"
    blocks = {"role": "user", "content": [{"type": "text", "text": text}, {"type": "image"}, 7]}
    cleaned = json.loads(bytes(clean(raw(blocks))))
    assert cleaned["content"] == [{"type": "text", "text": "hi"}, {"type": "image"}, 7]
    for name in ("content", "text"):
        assert json.loads(bytes(clean(raw({"role": "user", name: text}))))[name] == "hi"
    for message in (
        {"role": "assistant", "content": text},
        {"role": "user", "content": [{"type": "text", "text": 7}]},
        {"role": 7, "content": text},
        {"content": text},
    ):
        assert clean(raw(message)) == raw(message)


def test_byte_cap_counts_the_array() -> None:
    """The cap holds to the byte, brackets and commas included; the last message always stays."""
    messages = [raw({"n": n}) for n in range(3)]
    whole = len(json.dumps([{"n": n} for n in range(3)], separators=(",", ":")))
    assert newest(messages, limit=9, max_bytes=whole) == messages
    assert newest(messages, limit=9, max_bytes=whole - 1) == messages[1:]
    assert newest(messages, limit=9, max_bytes=1) == messages[2:]
    assert newest(messages, limit=2, max_bytes=whole) == messages[1:]
    assert newest([], limit=9, max_bytes=whole) == []


def test_lines_are_merged_by_time() -> None:
    """Messages keep their order; each line stands before the first message after it."""
    messages = [raw({"timestamp": at, "n": at}) for at in (10, 30, 20)]
    lines = [raw({"timestamp": at, "line": at}) for at in (5, 10, 15, 40)]
    merged = [json.loads(bytes(message)) for message in merge(messages, lines)]
    assert [entry.get("n", -entry.get("line", 0)) for entry in merged] == [
        -5,
        10,
        -10,
        -15,
        30,
        20,
        -40,
    ]
    assert merge(messages, []) == messages
    untimed = [raw({"n": 1})]
    assert merge(untimed, lines)[0] == untimed[0]


async def test_history_of_an_unknown_session(guest: Guest) -> None:
    """A session that does not exist has no id and no messages."""
    assert await guest.call("chat.history", {"sessionKey": "nowhere"}) == {
        "sessionKey": "nowhere",
        "messages": [],
        "thinkingLevel": "off",
    }


async def test_history_echoes_the_key_and_shows_cleaned_messages(
    house: House, guest: Guest
) -> None:
    """Both spellings read one session; messages come oldest first, cleaned."""
    await bring(house, [user("[WebChat ann] one"), {"role": "assistant", "content": "[x] two"}])
    for key in ("main", "agent:main:main"):
        history = await guest.call("chat.history", {"sessionKey": key, "limit": 5})
        assert (history["sessionKey"], history["sessionId"]) == (key, "sess-1")
        one, two = history["messages"]
        assert one["content"][0]["text"] == "one"
        assert two["content"] == "[x] two"


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({}, "must have required property 'sessionKey'"),
        ({"sessionKey": ""}, "at /sessionKey: must NOT have fewer than 1 characters"),
        ({"sessionKey": "k", "limit": 0}, "at /limit: must be >= 1"),
        ({"sessionKey": "k", "limit": 1001}, "at /limit: must be <= 1000"),
        ({"sessionKey": "k", "limit": "5"}, "at /limit: must be integer"),
        ({"sessionKey": "k", "before": 1}, "at root: unexpected property 'before'"),
    ],
)
async def test_wrong_parameters(guest: Guest, params: Frame, problem: str) -> None:
    """The text names the method and the problem."""
    assert await guest.refused("chat.history", params) == f"invalid chat.history params: {problem}"


async def test_history_has_200_messages_by_default(house: House, guest: Guest) -> None:
    """Without a limit the newest 200 come."""
    await bring(house, [user(str(n)) for n in range(203)])
    messages = (await guest.call("chat.history", {"sessionKey": "main"}))["messages"]
    assert len(messages) == 200
    assert messages[0]["content"][0]["text"] == "3"


class TestByteCap:
    """The byte cap as a setting."""

    @pytest.fixture
    def settings(self) -> OpenclawSettings:
        """Give a cap of four kibibytes."""
        return OpenclawSettings(history_max_bytes=4096)

    async def test_oldest_messages_go(self, house: House, guest: Guest) -> None:
        """What is shown stays under the cap, and one message more would not have fitted."""
        await bring(house, [user(f"{n}:" + "ü" * 100) for n in range(60)])
        history = await guest.call("chat.history", {"sessionKey": "main", "limit": 1000})
        sizes = [
            len(json.dumps(m, separators=(",", ":"), ensure_ascii=False).encode())
            for m in history["messages"]
        ]
        total = 1 + sum(sizes) + len(sizes)
        assert total <= 4096 < total + sizes[0]
        assert history["messages"][-1]["content"][0]["text"].startswith("59:")


async def test_direct_messages_stand_in_the_recipients_main_session(
    house: House, guest: Guest
) -> None:
    """What was sent to an agent is in its main session, also when that is all there is."""
    token = await house.hub.access.create(OPERATOR, "Bob")
    bob = await house.guest(token)
    await house.hub.journal.settled()
    await house.hub.direct.send(OPERATOR, "Bob", "aGkgQm9i")
    told = await guest.event("chat")
    assert told["sessionKey"] == "agent:bob:main"
    history = await bob.call("chat.history", {"sessionKey": "agent:bob:main"})
    (message,) = history["messages"]
    assert (message["role"], "sessionId" in history) == ("system", False)
    assert message["content"][0]["text"] == "System: direct message from operator: hi Bob"
    for elsewhere in ("agent:bob:other", "main", "global"):
        assert (await bob.call("chat.history", {"sessionKey": elsewhere}))["messages"] == []


async def test_direct_messages_are_for_their_recipient(house: House, guest: Guest) -> None:
    """Another agent is neither told a direct message nor finds it in the history."""
    ann = await house.guest(await house.hub.access.create(OPERATOR, "ann"))
    bob = await house.guest(await house.hub.access.create(OPERATOR, "Bob"))
    await house.hub.journal.settled()
    await house.hub.direct.send(OPERATOR, "Bob", "aGkgQm9i")
    for reader in (guest, bob):
        await reader.event("chat", sessionKey="agent:bob:main")
    assert not [frame for frame in ann.unread() if frame.get("event") == "chat"]
    for reader, lines in ((ann, 0), (bob, 1), (guest, 1)):
        history = await reader.call("chat.history", {"sessionKey": "agent:bob:main"})
        assert len(history["messages"]) == lines


@pytest.mark.parametrize(
    ("payload", "shown"),
    [("/w==", "(1 bytes)"), ("A", "(unreadable)"), ("eHh4" * 300, "xxx" * 166 + "xx…")],
)
async def test_payload_of_a_direct_message_is_made_readable(
    house: House, guest: Guest, payload: str, shown: str
) -> None:
    """Bytes that are no text are counted, long texts are cut."""
    data = {"message_id": "m", "sender": "a", "recipient": "b", "payload": payload}
    house.tell("direct/b", "direct.message", data)
    told = await guest.event("chat")
    text = told["message"]["content"][0]["text"]
    assert text == f"System: direct message from a: {shown}"


async def test_system_events_wait_for_the_main_agent(house: House, guest: Guest) -> None:
    """Direct messages to the main agent are in `status`, the newest of them."""
    token = await house.hub.access.create(OPERATOR, "main")
    await house.guest(token)
    await house.hub.journal.settled()
    for n in range(22):
        payload = base64.b64encode(f"message {n}".encode()).decode()
        await house.hub.direct.send(OPERATOR, "main", payload)
    queued = (await guest.call("status"))["queuedSystemEvents"]
    assert len(queued) == 20
    assert queued[0] == "direct message from operator: message 2"
