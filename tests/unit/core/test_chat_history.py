"""History: the newest messages under a count and a cap on bytes; messages that are put in."""

import asyncio
import threading

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubbub.core.chat.conversation import InjectRequest, SendRequest
from hubbub.core.chat.transcript import Transcript
from hubbub.core.ports import Transaction
from hubbub.core.values import OPERATOR, Principal, uuid7
from hubbub.errors import Forbidden, IdempotencyConflict, InvalidRequest, NotFound, TooLarge
from hubbub.storage.sqlite import SqliteStore
from tests.unit.core.chat_room import MAIN, Room


async def fill(room: Room, count: int, size: int = 10) -> None:
    """Put messages into the main session."""
    await room.chat.sessions.patch(OPERATOR, "main", {})
    for number in range(count):
        text = f"{number}:" + "x" * size
        await room.chat.inject(OPERATOR, InjectRequest(session_key="main", message=text))


async def test_history_of_an_unknown_session_is_empty(chat_room: Room) -> None:
    """No session, no id, no message, no error."""
    history = await chat_room.chat.history("nowhere")
    assert (history.session_key, history.session_id) == ("agent:main:nowhere", None)
    assert (history.messages, history.run_ids, history.thinking) == ([], [], None)


async def test_limit_keeps_the_newest(chat_room: Room) -> None:
    """Messages are counted from the newest one backwards and given oldest first."""
    await fill(chat_room, 5, 0)
    found = await chat_room.chat.history("main", limit=3)
    texts = [msgspec.json.decode(raw)["content"][0]["text"] for raw in found.messages]
    assert texts == ["2:", "3:", "4:"]


@pytest.mark.parametrize("limit", [0, 1001])
async def test_limit_out_of_range_is_refused(chat_room: Room, limit: int) -> None:
    """1 to 1,000 messages may be asked for."""
    with pytest.raises(InvalidRequest, match="limit must be from 1 to 1000"):
        await chat_room.chat.history("main", limit=limit)


@given(sizes=st.lists(st.integers(0, 60), min_size=1, max_size=12), cap=st.integers(0, 1500))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_cap_counts_the_bytes_of_the_array(
    chat_room: Room, sizes: list[int], cap: int
) -> None:
    """As many of the newest as fit into one JSON array; one more would not; never none."""
    session_id = uuid7()
    transcript = Transcript(chat_room.store, uuid7)

    def write(tx: Transaction) -> None:
        for size in sizes:
            message = msgspec.Raw(msgspec.json.encode({"role": "user", "content": "ä" * size}))
            transcript.add_in(tx, session_id, "user", message)

    await chat_room.journal.commit(write)
    everything = await transcript.newest(session_id, limit=100, max_bytes=10**6)
    kept = await transcript.newest(session_id, limit=100, max_bytes=cap)
    assert everything[len(everything) - len(kept) :] == kept
    assert len(kept) == 1 or len(msgspec.json.encode(kept)) <= cap
    if len(kept) < len(everything):
        one_more = everything[len(everything) - len(kept) - 1 :]
        assert len(msgspec.json.encode(one_more)) > cap


async def test_cap_is_exact_to_the_byte(chat_room: Room) -> None:
    """All messages come under a cap of just their size; one byte less costs the oldest."""
    await fill(chat_room, 3)
    size = len(msgspec.json.encode((await chat_room.chat.history("main")).messages))
    assert len((await chat_room.chat.history("main", max_bytes=size)).messages) == 3
    assert len((await chat_room.chat.history("main", max_bytes=size - 1)).messages) == 2


async def test_history_is_of_one_place_and_names_the_runs(chat_room: Room) -> None:
    """Each message has its run, one that was put in has none; what follows comes after ``seq``."""
    await chat_room.finish("k1")
    await chat_room.chat.inject(OPERATOR, InjectRequest(session_key="main", message="by the way"))
    history = await chat_room.chat.history("main")
    assert history.run_ids == ["k1", "k1", None]
    assert history.seq == chat_room.ears.events[-1].seq


async def test_history_waits_until_its_place_has_been_told(
    chat_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A history with a commit that the loop has not heard of waits until it has."""
    await fill(chat_room, 1)
    before = chat_room.bus.told
    committed, told = threading.Event(), threading.Event()

    def hold(point: str) -> None:
        if point == "after_commit":
            committed.set()
            told.wait(10)

    monkeypatch.setattr(chat_room.store, "_crash", hold)
    request = InjectRequest(session_key="main", message="psst")
    injecting = asyncio.ensure_future(chat_room.chat.inject(OPERATOR, request))
    await asyncio.to_thread(committed.wait, 10)
    asking = asyncio.ensure_future(chat_room.chat.history("main"))
    while chat_room.journal.waiting < 2:  # noqa: ASYNC110 the journal tells nobody
        await asyncio.sleep(0)
    assert (chat_room.bus.told, asking.done()) == (before, False)
    told.set()

    history = await asking
    assert (history.seq, len(history.messages)) == (chat_room.bus.told, 2)
    await injecting


async def test_history_tells_the_thinking_level(chat_room: Room) -> None:
    """The session's own level comes with its history, under any spelling."""
    await chat_room.chat.sessions.patch(OPERATOR, "main", {"thinkingLevel": "high"})
    history = await chat_room.chat.history(MAIN)
    assert history.thinking == "high"
    assert history.session_id is not None


async def test_injected_message_is_the_agents(chat_room: Room) -> None:
    """It stands in the transcript with its label, is told, and has an id of 8 hex characters."""
    await chat_room.finish("k1")
    request = InjectRequest(session_key="main", message="psst", label=" note ")
    injected = await chat_room.chat.inject(OPERATOR, request)
    assert len(injected.message_id) == 8
    event = chat_room.ears.events[-1]
    data = msgspec.json.decode(event.data)
    assert (event.kind, data["message_id"]) == ("chat.injected", injected.message_id)
    assert data["message"]["content"][0]["text"] == "[note]\n\npsst"
    assert data["message"]["stopReason"] == "injected"
    assert (await chat_room.texts())[-1] == ("assistant", "[note]\n\npsst")


async def test_injecting_with_a_key_happens_once(chat_room: Room) -> None:
    """A repeated injection gives the first answer; the key stands for that text."""
    await chat_room.finish("k1")
    request = InjectRequest(session_key="main", message="psst", idempotency_key="i1")
    first = await chat_room.chat.inject(OPERATOR, request)
    assert await chat_room.chat.inject(OPERATOR, request) == first
    other = msgspec.structs.replace(request, message="other")
    with pytest.raises(IdempotencyConflict):
        await chat_room.chat.inject(OPERATOR, other)
    assert len(await chat_room.texts()) == 3


async def test_injecting_is_for_administrators_and_the_agent_itself(chat_room: Room) -> None:
    """Nobody else puts words into an agent's mouth."""
    await chat_room.finish("k1", session="agent:ann:main")
    request = InjectRequest(session_key="agent:ann:main", message="psst")
    await chat_room.chat.inject(Principal(name="ann"), request)
    with pytest.raises(Forbidden):
        await chat_room.chat.inject(Principal(name="bob"), request)


async def test_unusable_injection_is_refused(chat_room: Room) -> None:
    """Unknown sessions, empty or endless texts and labels are refused."""
    inject, request = chat_room.chat.inject, InjectRequest(session_key="main", message="x")
    with pytest.raises(NotFound, match="session agent:main:main not found"):
        await inject(OPERATOR, request)
    with pytest.raises(InvalidRequest, match="label has 100 characters at most"):
        await inject(OPERATOR, msgspec.structs.replace(request, label="x" * 101))
    with pytest.raises(InvalidRequest, match="message is empty"):
        await inject(OPERATOR, msgspec.structs.replace(request, message=" "))
    with pytest.raises(TooLarge):
        await inject(OPERATOR, msgspec.structs.replace(request, message="x" * 1024 * 1025))


async def test_daemon_answers_a_message_itself(chat_room: Room) -> None:
    """A slash command is a whole turn in one step: no runner, all events, one key."""
    request = SendRequest(session_key="main", message="/status", idempotency_key="k1")
    assert (await chat_room.chat.answer(OPERATOR, request, "all well")).status == "started"
    assert chat_room.ears.kinds("k1") == ["chat.accepted", "chat.started", "chat.final"]
    final = chat_room.ears.of("k1")[-1][1]
    assert final["message"]["stopReason"] == "injected"
    assert final["message"]["content"][0]["text"] == "all well"
    assert (await chat_room.chat.answer(OPERATOR, request, "changed")).status == "ok"
    await chat_room.finish("k2")
    assert [turn.asked.run_id for turn in chat_room.runner.turns] == ["k2"]
    assert (await chat_room.texts())[:2] == [("user", "/status"), ("assistant", "all well")]


async def test_message_ids_are_unique_in_a_session(store: SqliteStore, chat_room: Room) -> None:
    """Where the id source repeats itself, another id is taken."""
    numbers = iter(["0" * 24 + "aaaaaaaa", "0" * 24 + "aaaaaaaa", "0" * 24 + "bbbbbbbb"])
    transcript = Transcript(store, lambda: next(numbers))
    message = msgspec.Raw(b'{"role":"user"}')

    def write(tx: Transaction) -> list[str]:
        return [transcript.add_in(tx, "s", "user", message)[1] for _ in range(2)]

    assert await chat_room.journal.commit(write) == ["aaaaaaaa", "bbbbbbbb"]
