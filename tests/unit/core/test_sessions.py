"""Sessions: listed, found, patched, reset and deleted."""

from typing import Any

import pytest

from hubbub.core.chat.conversation import ImportRequest, InjectRequest, Preview, SessionFilter
from hubbub.core.values import OPERATOR, Principal
from hubbub.errors import Forbidden, IdempotencyConflict, InvalidRequest, NotFound
from tests.unit.conftest import ManualClock
from tests.unit.core.chat_room import MAIN, Room


READER = Principal(name="eve", scopes=frozenset(("read",)))


async def patch(room: Room, key: str, **changes: object) -> None:
    """Patch a session."""
    await room.chat.sessions.patch(OPERATOR, key, changes)


async def listed(room: Room, **wanted: Any) -> list[str]:
    """Give the keys of a list."""
    rows = await room.chat.sessions.list(SessionFilter(**wanted))
    return [row.session.key for row in rows]


async def test_list_begins_with_the_newest(chat_room: Room, clock: ManualClock) -> None:
    """What changed last stands first; a limit keeps the newest."""
    for key in ("a", "b", "c"):
        clock.advance(60_000)
        await patch(chat_room, key)
    assert await listed(chat_room) == ["agent:main:c", "agent:main:b", "agent:main:a"]
    assert await listed(chat_room, limit=1) == ["agent:main:c"]
    assert await listed(chat_room, limit=0) == []
    assert await listed(chat_room, active_minutes=1) == ["agent:main:c", "agent:main:b"]


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ({"agent": "Scout"}, {"agent:scout:x"}),
        ({"label": "trip"}, {MAIN}),
        ({"spawned_by": MAIN}, {"agent:scout:x"}),
        ({"search": "TRI"}, {MAIN}),
        ({"search": "scout"}, {"agent:scout:x"}),
        ({"search": "nothing"}, set()),
        ({"include_global": False}, {MAIN, "agent:scout:x", "unknown"}),
        ({"include_unknown": False}, {MAIN, "agent:scout:x", "global"}),
    ],
)
async def test_list_can_be_narrowed(
    chat_room: Room, wanted: dict[str, Any], keys: set[str]
) -> None:
    """Each filter leaves what matches it."""
    await patch(chat_room, "main", label="trip")
    await patch(chat_room, "agent:scout:x", spawnedBy=MAIN)
    await patch(chat_room, "global")
    await patch(chat_room, "unknown")
    assert set(await listed(chat_room, **wanted)) == keys


async def test_list_with_edges(chat_room: Room) -> None:
    """First question and last message come along where they are asked for."""
    await patch(chat_room, "empty")
    await chat_room.finish("k1", "pong")
    rows = await chat_room.chat.sessions.list(SessionFilter(edges=True))
    edges = {row.session.key: (row.first_user, row.last) for row in rows}
    assert edges["agent:main:empty"] == (None, None)
    first, last = edges[MAIN]
    assert first is not None
    assert last is not None
    assert b"say pong" in bytes(first)
    assert b'"assistant"' in bytes(last)
    (plain, _) = await chat_room.chat.sessions.list(SessionFilter())
    assert plain.last is None


async def test_preview_shows_the_end_in_short(chat_room: Room) -> None:
    """The newest messages, oldest first, each on one line and cut; keys as they were asked."""
    await chat_room.finish("k1", "a " * 30)
    await patch(chat_room, "empty")
    found = await chat_room.chat.sessions.preview(
        ["main", "empty", "nowhere"], limit=1, max_chars=20
    )
    assert [(one.key, one.status) for one in found] == [
        ("main", "ok"),
        ("empty", "empty"),
        ("nowhere", "missing"),
    ]
    (item,) = found[0].items
    assert (item.role, item.text) == ("assistant", "a a a a a a a a a a…")
    assert found[2] == Preview("nowhere", "missing")


@pytest.mark.parametrize(
    ("keys", "numbers", "message"),
    [
        ([], {}, "keys must be from 1 to 64"),
        (["x"] * 65, {}, "keys must be from 1 to 64"),
        (["x"], {"limit": 51}, "limit must be from 1 to 50"),
        (["x"], {"max_chars": 19}, "maxChars must be from 20 to 2000"),
    ],
)
async def test_preview_out_of_range_is_refused(
    chat_room: Room, keys: list[str], numbers: dict[str, int], message: str
) -> None:
    """Limits are named in the error."""
    with pytest.raises(InvalidRequest, match=message):
        await chat_room.chat.sessions.preview(keys, **numbers)


async def test_resolve_finds_by_key_id_and_label(chat_room: Room) -> None:
    """Each of the three finds the session; a narrower question may find none."""
    await patch(chat_room, "agent:scout:x", label="trip")
    await patch(chat_room, "main")
    session = await chat_room.chat.sessions.get("agent:scout:x")
    assert session is not None
    resolve = chat_room.chat.sessions.resolve
    assert await resolve(session_key="agent:Scout:x") == "agent:scout:x"
    assert await resolve(session_id=session.session_id) == "agent:scout:x"
    assert await resolve(label="trip", agent="scout") == "agent:scout:x"
    with pytest.raises(NotFound, match="session trip not found"):
        await resolve(label="trip", agent="main")
    with pytest.raises(NotFound):
        await resolve(session_key="nowhere")


@pytest.mark.parametrize("names", [{}, {"session_key": "main", "label": "x"}])
async def test_resolve_takes_exactly_one_name(chat_room: Room, names: dict[str, str]) -> None:
    """None or two are refused."""
    with pytest.raises(InvalidRequest, match="exactly one"):
        await chat_room.chat.sessions.resolve(**names)


async def test_patch_makes_and_changes_a_session(chat_room: Room) -> None:
    """A session that is missing is made; each patch is told."""
    session = await chat_room.chat.sessions.patch(OPERATOR, "trip", {"label": "Trip"})
    assert (session.key, session.fields) == ("agent:main:trip", {"label": "Trip"})
    again = await chat_room.chat.sessions.patch(OPERATOR, "trip", {"label": None})
    assert (again.session_id, again.fields) == (session.session_id, {})
    assert [event.kind for event in chat_room.ears.events] == ["chat.session"] * 2


async def test_label_belongs_to_one_session(chat_room: Room) -> None:
    """A label that another session has is refused; one's own is not."""
    await patch(chat_room, "a", label="trip")
    await patch(chat_room, "a", label="trip")
    with pytest.raises(InvalidRequest, match="label already in use: trip"):
        await patch(chat_room, "b", label="trip")
    assert await chat_room.chat.sessions.get("b") is None


async def test_changes_with_a_key_happen_once(chat_room: Room) -> None:
    """Patch, reset and delete give their first answer again; a key stands for one request."""
    sessions = chat_room.chat.sessions
    first = await sessions.patch(OPERATOR, "a", {"label": "x"}, key="p")
    await sessions.patch(OPERATOR, "a", {"label": "y"})
    assert await sessions.patch(OPERATOR, "a", {"label": "x"}, key="p") == first
    reset = await sessions.reset(OPERATOR, "a", key="r")
    assert await sessions.reset(OPERATOR, "a", key="r") == reset
    assert await sessions.delete(OPERATOR, "a", key="d")
    assert await sessions.delete(OPERATOR, "a", key="d")
    with pytest.raises(IdempotencyConflict):
        await sessions.reset(OPERATOR, "b", key="d")


async def test_reset_begins_a_new_conversation(chat_room: Room) -> None:
    """A new id, no messages, the same label and route; what runs is aborted."""
    await chat_room.finish("k1")
    await patch(chat_room, "main", label="trip")
    before = await chat_room.chat.sessions.get("main")
    turn = await chat_room.begin("k2")

    session = await chat_room.chat.sessions.reset(OPERATOR, "main")

    assert before is not None
    assert session.session_id != before.session_id
    assert session.fields["label"] == "trip"
    assert session.fields["lastChannel"] == "webchat"
    assert await chat_room.texts() == []
    assert chat_room.ears.kinds("k2")[-1] == "chat.aborted"
    await turn.dropped.wait()
    await chat_room.finish("k3", "fresh")
    assert await chat_room.texts() == [("user", "say fresh"), ("assistant", "fresh")]


async def test_reset_makes_a_missing_session(chat_room: Room) -> None:
    """There is something to talk in afterwards."""
    session = await chat_room.chat.sessions.reset(OPERATOR, "new")
    assert await chat_room.chat.sessions.get("new") == session


@pytest.mark.parametrize("with_transcript", [True, False])
async def test_delete_takes_session_and_turns(chat_room: Room, *, with_transcript: bool) -> None:
    """The session goes, what runs is aborted; the transcript goes unless it is to be kept."""
    turn = await chat_room.begin("k1", session="trip")
    session = await chat_room.chat.sessions.get("trip")
    assert await chat_room.chat.sessions.delete(OPERATOR, "trip", delete_transcript=with_transcript)
    await turn.dropped.wait()
    assert chat_room.ears.kinds("k1")[-1] == "chat.aborted"
    assert await chat_room.chat.sessions.get("trip") is None
    assert session is not None
    request = ImportRequest(session_key="trip", entry=session.entry())
    await chat_room.chat.import_session(OPERATOR, request)
    assert len(await chat_room.texts("trip")) == (0 if with_transcript else 1)
    assert (await chat_room.send("k1", session="trip")).status == "ok"


async def test_delete_of_nothing(chat_room: Room) -> None:
    """A session that is not there is no error, and nothing is told."""
    assert not await chat_room.chat.sessions.delete(OPERATOR, "trip")
    assert chat_room.ears.events == []


async def test_main_session_cannot_be_deleted(chat_room: Room) -> None:
    """The main session of the default agent stays; that of another agent may go."""
    with pytest.raises(InvalidRequest, match=r"Cannot delete the main session \(agent:main:main\)"):
        await chat_room.chat.sessions.delete(OPERATOR, "main")
    await patch(chat_room, "agent:scout:main")
    assert await chat_room.chat.sessions.delete(OPERATOR, "agent:scout:main")


async def test_reader_may_not_change_sessions(chat_room: Room) -> None:
    """A caller with the scope read alone changes nothing."""
    sessions = chat_room.chat.sessions
    with pytest.raises(Forbidden):
        await sessions.patch(READER, "main", {})
    with pytest.raises(Forbidden):
        await sessions.reset(READER, "main")
    with pytest.raises(Forbidden):
        await sessions.delete(READER, "x")
    with pytest.raises(Forbidden):
        await chat_room.chat.inject(READER, InjectRequest(session_key="main", message="x"))
