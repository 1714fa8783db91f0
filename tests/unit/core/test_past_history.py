"""A conversation as it was at a place of the journal."""

from typing import Any

import msgspec
import pytest

from hubbub.core.chat.conversation import ImportRequest, InjectRequest, SendRequest
from hubbub.core.chat.imports import MAX_EVENT_BYTES
from hubbub.core.past import service
from hubbub.core.past.service import Past
from hubbub.core.past.transcript import Walk
from hubbub.core.values import OPERATOR, Position
from hubbub.errors import InvalidRequest, RunnerFailed
from tests.unit.core.chat_room import Room


OLD = "agent:main:old"


@pytest.fixture
def past(chat_room: Room) -> Past:
    """Give the past of a room's store."""
    return Past(chat_room.journal, chat_room.store)


async def at(past: Past) -> Position:
    """Give the newest place."""
    return (await past.room()).position


async def same(room: Room, past: Past, session: str = "main", *, limit: int = 1000) -> Position:
    """Compare what a session is now with what the journal says of now; give the place."""
    place = await at(past)
    history, running = await past.history(session, place, limit=limit)
    assert history == await room.chat.history(session, limit=limit)
    now = [(turn.run_id, turn.started, turn.spelling) for turn in room.chat.running(session)]
    assert [(turn.run_id, turn.started, turn.spelling) for turn in running] == now
    return place


async def bring(room: Room, *texts: str, offset: int = 0, source: str = "theirs") -> None:
    """Import messages."""
    messages = [msgspec.Raw(msgspec.json.encode({"role": "user", "content": t})) for t in texts]
    request = ImportRequest(
        session_key=OLD, entry={"sessionId": source}, messages=messages, offset=offset
    )
    await room.chat.import_session(OPERATOR, request)


async def test_history_is_as_it_was(chat_room: Room, past: Past) -> None:
    """At each place: nothing, a question, its answer below it, what failed, what was injected."""
    before = await same(chat_room, past)
    assert (await past.history("main", before, limit=9))[0].session_id is None
    places = []
    turn = await chat_room.begin("one")
    places.append(await same(chat_room, past))
    await chat_room.send("two")
    places.append(await same(chat_room, past))
    turn.say("first")
    turn.finish()
    await chat_room.ears.wait("one", "chat.final")
    turn = await chat_room.runner.next_turn()
    turn.fail(RunnerFailed("broken"))
    await chat_room.ears.wait("two", "chat.error")
    places.append(await same(chat_room, past))
    await chat_room.chat.inject(OPERATOR, InjectRequest(session_key="main", message="note"))
    places.append(await same(chat_room, past))
    counts = [len((await past.history("main", p, limit=9))[0].messages) for p in places]
    assert counts == [1, 2, 4, 5]
    started = [turn.started for turn in (await past.history("main", places[1], limit=9))[1]]
    assert started == [True, False]


async def test_what_was_rolled_back_was_there_before(chat_room: Room, past: Past) -> None:
    """An interrupted turn keeps its part; one that is rolled back leaves nothing but its past."""
    turn = await chat_room.begin("one")
    turn.say("half")
    await chat_room.ears.wait("one", "chat.delta")
    for key, strategy in (("two", "interrupt"), ("three", "rollback")):
        request = SendRequest(
            session_key="main",
            message=key,
            idempotency_key=key,
            multitask_strategy=strategy,  # type: ignore[arg-type]  # one of them
        )
        await chat_room.chat.send(OPERATOR, request)
        await chat_room.runner.next_turn()
        place = await same(chat_room, past)
    await chat_room.chat.abort(OPERATOR, "main")
    await same(chat_room, past)
    history, running = await past.history("main", place, limit=9)
    assert (len(history.messages), [turn.run_id for turn in running]) == (3, ["three"])


async def test_reset_and_deletion_end_a_transcript(chat_room: Room, past: Past) -> None:
    """What stood before is found before, and not after."""
    await chat_room.finish("one")
    full = await same(chat_room, past)
    await chat_room.chat.sessions.reset(OPERATOR, "main")
    await same(chat_room, past)
    await chat_room.finish("two")
    await same(chat_room, past)
    await bring(chat_room, "a", "b")
    kept = await same(chat_room, past, OLD)
    await chat_room.chat.sessions.delete(OPERATOR, OLD, delete_transcript=False)
    await same(chat_room, past, OLD)
    await bring(chat_room, "a", "b", "c")
    await same(chat_room, past, OLD)
    await chat_room.chat.sessions.delete(OPERATOR, OLD)
    await bring(chat_room, "a")
    await same(chat_room, past, OLD)
    assert len((await past.history("main", full, limit=9))[0].messages) == 2
    assert len((await past.history(OLD, kept, limit=9))[0].messages) == 2


async def test_imports_stand_before_all_else(chat_room: Room, past: Past) -> None:
    """In the order of their numbers, in whichever parts they came; to where the first went."""
    await bring(chat_room, "c", offset=2)
    await chat_room.finish("own", session=OLD)
    await bring(chat_room, "a", "b")
    await bring(chat_room, "A")  # the same number again, with another text
    await same(chat_room, past, OLD)
    await chat_room.chat.sessions.reset(OPERATOR, OLD)
    await bring(chat_room, "late", offset=3)
    await chat_room.chat.inject(OPERATOR, InjectRequest(session_key=OLD, message="x"))
    await same(chat_room, past, OLD)


async def test_large_import_is_told_in_parts(chat_room: Room) -> None:
    """Each within the limit, but for a message that alone is over it."""
    half, whole = "h" * (MAX_EVENT_BYTES // 2), "w" * MAX_EVENT_BYTES
    await bring(chat_room, half, "x", half, whole, "y")
    told = [event for event in chat_room.ears.events if event.kind == "chat.imported"]
    parts: list[list[Any]] = [msgspec.json.decode(event.data)["messages"] for event in told]
    assert [[one["number"] for one in part] for part in parts] == [[0, 1], [2], [3], [4]]


@pytest.mark.parametrize("page", [1, 3, 256])
async def test_only_the_newest_are_walked_to(
    chat_room: Room, past: Past, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """Any limit gives what it gives now, whatever is read in one step; open turns are all found."""
    monkeypatch.setattr(service, "PAGE", page)
    for number in range(4):
        await chat_room.finish(f"r{number}")
    await chat_room.begin("open")
    for number in range(3):
        await chat_room.send(f"waits {number}")
    for limit in (1, 2, 3, 7, 1000):
        await same(chat_room, past, limit=limit)


@pytest.mark.parametrize("max_bytes", [1, 20, 40, 41, 1000])
async def test_bytes_are_counted_as_in_the_present(
    chat_room: Room, past: Past, monkeypatch: pytest.MonkeyPatch, max_bytes: int
) -> None:
    """As many of the newest as fit into one JSON array; the last one in any case."""
    monkeypatch.setattr(service, "MAX_HISTORY_BYTES", max_bytes)
    await bring(chat_room)
    for text in ("a", "bb", "ccc"):
        request = InjectRequest(session_key=OLD, message=text)
        await chat_room.chat.inject(OPERATOR, request)
    now = await chat_room.chat.history(OLD, max_bytes=max_bytes)
    then, _ = await past.history(OLD, await at(past), limit=200)
    assert then.messages == now.messages


async def test_wrong_limit_is_refused(past: Past) -> None:
    """As for the present."""
    with pytest.raises(InvalidRequest, match="limit must be"):
        await past.history("main", await at(past), limit=0)


def test_other_events_are_passed_over() -> None:
    """A later kind of event, and what was said in another transcript under the same key."""
    walk = Walk("s", limit=1, max_bytes=1)
    walk.take(2, "chat.later", b"{}")
    other = {"session": "k", "agent": "a", "session_id": "other", "updated_at": 1, "fields": {}}
    said = {"session_key": "k", "message_id": "m", "message": {}, "session": other}
    walk.take(1, "chat.injected", msgspec.json.encode(said))
    assert (walk.messages(), walk.running(), walk.is_over) == ([], [], False)
