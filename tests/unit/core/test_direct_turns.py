"""Direct messages to agents that answer them: one commit, one turn, never a failed send."""

import base64

import pytest

from hubbub.core.chat.agents import AgentSettings, ChatSettings
from hubbub.core.chat.direct_turns import DirectTurns
from hubbub.core.direct import Direct
from hubbub.core.identity.identities import Identities
from hubbub.core.values import OPERATOR, Principal, uuid7
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.chat_room import Room
from tests.unit.core.conftest import MakeRoom


BOB = Principal(name="bob")
CHATS = AgentSettings(direct_messages="chat")


def b64(data: bytes) -> str:
    """Encode a payload."""
    return base64.b64encode(data).decode()


def direct_in(room: Room, store: SqliteStore, clock: ManualClock) -> Direct:
    """Give direct messages that begin turns in a room."""
    identities = Identities(room.journal, store, clock, "11" * 32)
    for name in ("Main", "bob", "!!!"):
        identities.agent_id(name)
    return Direct(room.journal, identities, clock, uuid7, turn_of=DirectTurns(room.chat).of)


async def test_message_is_a_turn_of_its_recipient(
    make_room: MakeRoom, store: SqliteStore, clock: ManualClock
) -> None:
    """It stands in the main session with its sender's name, and a retry begins no second turn."""
    room = make_room(CHATS)
    direct = direct_in(room, store, clock)
    for _ in range(2):
        sent = await direct.send(BOB, "Main", b64(b"are you there?"), logical_id="one")
    turn = await room.runner.next_turn()
    run_id = f"reply-{sent.message_id}"
    asked = (turn.asked.run_id, turn.asked.session_key, turn.asked.message)
    assert asked == (run_id, "agent:main:main", "direct message from bob: are you there?")
    turn.say("yes")
    turn.finish()
    await room.ears.wait(run_id, "chat.final")
    assert await room.texts() == [
        ("user", "direct message from bob: are you there?"),
        ("assistant", "yes"),
    ]
    assert len(room.runner.turns) == 1


@pytest.mark.parametrize(
    ("recipient", "payload"), [("Main", b"\xff\x00"), ("Main", b"  "), ("!!!", b"hi")]
)
async def test_message_that_nobody_can_answer_is_only_stored(
    make_room: MakeRoom,
    store: SqliteStore,
    clock: ManualClock,
    *,
    recipient: str,
    payload: bytes,
) -> None:
    """Bytes, blanks and agents that have no session of their own begin no turn."""
    room = make_room(CHATS)
    assert (await direct_in(room, store, clock).send(BOB, recipient, b64(payload))).seq == 1
    assert room.store.last_seq() == 1


async def test_agents_are_left_alone_by_default(
    make_room: MakeRoom, store: SqliteStore, clock: ManualClock
) -> None:
    """Without the setting a direct message is no turn."""
    room = make_room()
    await direct_in(room, store, clock).send(BOB, "Main", b64(b"hi"))
    assert room.store.last_seq() == 1


@pytest.mark.parametrize("reason", ["policy", "size"])
async def test_session_that_takes_no_message_fails_no_send(
    make_room: MakeRoom, store: SqliteStore, clock: ManualClock, reason: str
) -> None:
    """What the main session refuses is stored as a direct message all the same."""
    room = make_room(CHATS, ChatSettings(max_message_bytes=30) if reason == "size" else None)
    if reason == "policy":
        await room.chat.sessions.patch(OPERATOR, "main", {"sendPolicy": "deny"})
    before = room.store.last_seq()
    sent = await direct_in(room, store, clock).send(BOB, "Main", b64(b"hello there"))
    assert (sent.seq, room.store.last_seq()) == (before + 1, before + 1)


async def test_message_waits_whatever_the_session_does_with_others(
    make_room: MakeRoom, store: SqliteStore, clock: ManualClock
) -> None:
    """A direct message interrupts nobody."""
    room = make_room(CHATS)
    await room.chat.sessions.patch(OPERATOR, "main", {"multitaskStrategy": "interrupt"})
    turn = await room.begin("k1")
    await direct_in(room, store, clock).send(BOB, "Main", b64(b"hi"))
    turn.finish()
    await room.ears.wait("k1", "chat.final")
    assert (await room.runner.next_turn()).asked.message == "direct message from bob: hi"
