"""Importing: a conversation from elsewhere comes in once, and before what was said here."""

from typing import Any

import msgspec
import pytest

from hubbub.core.chat.conversation import Imported, ImportRequest
from hubbub.core.values import OPERATOR, Principal
from hubbub.errors import Forbidden, InvalidRequest
from tests.unit.core.chat_room import MAIN, Room


ENTRY = {"sessionId": "s1", "updatedAt": 5, "lastTo": "+1", "custom": {"a": 1}}


def said(*texts: str) -> list[msgspec.Raw]:
    """Make messages."""
    return [
        msgspec.Raw(msgspec.json.encode({"role": "user", "content": [{"text": text}]}))
        for text in texts
    ]


async def bring(
    room: Room, *texts: str, entry: dict[str, Any] | None = None, key: str = "main", offset: int = 0
) -> Imported:
    """Import messages."""
    request = ImportRequest(
        session_key=key, entry=entry or ENTRY, messages=said(*texts), offset=offset
    )
    return await room.chat.import_session(OPERATOR, request)


async def test_import_makes_the_session_as_it_was(chat_room: Room) -> None:
    """Id, time, known and unknown fields and all messages are there; both are told."""
    result = await bring(chat_room, "a", "b")
    assert result == Imported(session_key=MAIN, created=True, added=2)
    session = await chat_room.chat.sessions.get("main")
    assert session is not None
    assert session.entry() == ENTRY
    assert [text for _, text in await chat_room.texts()] == ["a", "b"]
    assert [event.kind for event in chat_room.ears.events] == ["chat.session", "chat.imported"]


async def test_second_import_changes_nothing(chat_room: Room) -> None:
    """The same again adds nothing, tells nothing, and undoes nothing that was done here."""
    await bring(chat_room, "a", "b")
    await chat_room.chat.sessions.patch(OPERATOR, "main", {"label": "mine"})
    before = await chat_room.chat.sessions.get("main")
    told = len(chat_room.ears.events)
    assert await bring(chat_room, "a", "b") == Imported(session_key=MAIN, created=False, added=0)
    assert await chat_room.chat.sessions.get("main") == before
    assert len(chat_room.ears.events) == told
    assert len(await chat_room.texts()) == 2


async def test_import_in_parts_keeps_the_order(chat_room: Room) -> None:
    """Parts are put together by their numbers; what the source got since is added."""
    await bring(chat_room, "c", offset=2)
    assert (await bring(chat_room, "a", "b", "c")).added == 2
    assert (await bring(chat_room, "a", "b", "c", "d")).added == 1
    assert [text for _, text in await chat_room.texts()] == ["a", "b", "c", "d"]


async def test_equal_messages_are_all_taken(chat_room: Room) -> None:
    """Who said the same twice has said it twice."""
    assert (await bring(chat_room, "ok", "ok")).added == 2


async def test_imported_messages_stand_before_our_own(chat_room: Room) -> None:
    """A session that exists keeps its id and its own fields, and gets what it lacks."""
    await chat_room.finish("k1")
    await chat_room.chat.sessions.patch(OPERATOR, "main", {"label": "mine"})
    own = await chat_room.chat.sessions.get("main")
    entry = {**ENTRY, "label": "theirs", "lastChannel": "whatsapp"}
    result = await bring(chat_room, "old", entry=entry)
    assert (result.created, result.added) == (False, 1)
    session = await chat_room.chat.sessions.get("main")
    assert own is not None
    assert session is not None
    assert session.session_id == own.session_id
    fields = session.fields
    assert (fields["label"], fields["lastChannel"]) == ("mine", "webchat")
    assert (fields["lastTo"], fields["custom"]) == ("+1", {"a": 1})
    assert [text for _, text in await chat_room.texts()] == ["old", "say done", "done"]


async def test_import_after_a_reset_does_not_bring_the_past_back(chat_room: Room) -> None:
    """What was put away here stays away."""
    await bring(chat_room, "a")
    await chat_room.chat.sessions.reset(OPERATOR, "main")
    await bring(chat_room, "a", "b")
    assert await chat_room.texts() == []


async def test_import_after_a_deletion_brings_the_session_back(chat_room: Room) -> None:
    """Who deletes a session and imports it again wants it."""
    await bring(chat_room, "a", key="trip")
    await chat_room.chat.sessions.delete(OPERATOR, "trip")
    assert (await bring(chat_room, "a", key="trip")).created
    assert [text for _, text in await chat_room.texts("trip")] == ["a"]


async def test_label_that_is_taken_is_left_out(chat_room: Room) -> None:
    """A label stays unique; the import goes on without it."""
    await chat_room.chat.sessions.patch(OPERATOR, "other", {"label": "trip"})
    await bring(chat_room, "a", entry={**ENTRY, "label": "trip"})
    session = await chat_room.chat.sessions.get("main")
    assert session is not None
    assert "label" not in session.fields


@pytest.mark.parametrize("at", [None, "yesterday", True])
async def test_entry_without_a_time_is_of_now(chat_room: Room, at: object) -> None:
    """A missing or odd time is replaced."""
    await bring(chat_room, entry={"sessionId": "s1", "updatedAt": at})
    session = await chat_room.chat.sessions.get("main")
    assert session is not None
    assert session.updated_at > 5


@pytest.mark.parametrize("entry", [{"updatedAt": 5}, {"sessionId": ""}, {"sessionId": 7}])
async def test_entry_without_an_id_is_refused(chat_room: Room, entry: dict[str, Any]) -> None:
    """A session that names no transcript cannot be told from another."""
    with pytest.raises(InvalidRequest, match="needs a sessionId"):
        await bring(chat_room, "a", entry=entry)


async def test_bad_part_leaves_nothing(chat_room: Room) -> None:
    """One message that is none, or a wrong number, undoes the whole call."""
    request = ImportRequest(
        session_key="main", entry=ENTRY, messages=[*said("a"), msgspec.Raw(b"[]")]
    )
    with pytest.raises(InvalidRequest, match="role"):
        await chat_room.chat.import_session(OPERATOR, request)
    with pytest.raises(InvalidRequest, match="offset must not be negative"):
        await bring(chat_room, "a", offset=-1)
    assert await chat_room.chat.sessions.get("main") is None


async def test_import_is_for_administrators(chat_room: Room) -> None:
    """Nobody else rewrites the past."""
    request = ImportRequest(session_key="main", entry=ENTRY)
    with pytest.raises(Forbidden):
        await chat_room.chat.import_session(Principal(name="ann"), request)
