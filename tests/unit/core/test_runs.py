"""Runs: who may start, extend and end them, and what is kept."""

from collections.abc import Callable

import msgspec
import pytest

from hubbub.core.bus import Bus
from hubbub.core.idempotency import Stored
from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction
from hubbub.core.runs.outcomes import Outcome
from hubbub.core.runs.run import StartRun
from hubbub.core.runs.service import Runs
from hubbub.core.runs.trace import MAX_TURNS, Recorded, Turn, recorded
from hubbub.core.values import OPERATOR, Principal, uuid7
from hubbub.errors import (
    Conflict,
    Forbidden,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    TooLarge,
)
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.runs_words import ANN, BOB, READER, SUCCESS, Told, chat_run, new_run


@pytest.fixture
def runs(journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock) -> Runs:
    """Give the service, with no grace to wait for."""
    return Runs(journal, store, bus, clock, uuid7, grace_ms=0)


@pytest.fixture
def told(bus: Bus) -> Told:
    """Give the events that are told."""
    return Told(bus)


async def test_started_run_is_stored_told_and_in_memory(
    runs: Runs, told: Told, clock: ManualClock
) -> None:
    """What was asked for stands in the run, in its event, in memory and in the list."""
    run = await runs.start(ANN, new_run(outcome_description="all green"))

    assert (run.agent, run.intent, run.client, run.source) == ("ann", "do it", "c1", "car")
    assert (run.status, run.started_at, run.turn_count) == ("in_progress", clock.now, 0)
    assert told.events[0].topic == f"runs/{run.run_id}"
    assert told.events[0].actor == "agent:ann"
    assert told.data() == {
        "run_id": run.run_id,
        "agent": "ann",
        "intent": "do it",
        "outcome_description": "all green",
        "client": "c1",
        "source": "car",
        "on_disconnect": "incomplete",
        "started_at": clock.now,
    }
    assert runs.get(run.run_id) == run
    assert await runs.list("ann") == [run]
    assert runs.owner(run.run_id) is None


async def test_list_is_newest_first_and_by_agent(runs: Runs, clock: ManualClock) -> None:
    """The newest run comes first; another agent's is not among them."""
    first = await runs.start(OPERATOR, new_run())
    clock.advance(1)
    second = await runs.start(OPERATOR, new_run())
    other = await runs.start(OPERATOR, new_run("bob"))

    assert await runs.list("ann") == [second, first]
    assert {run.run_id for run in await runs.list()} == {
        first.run_id,
        second.run_id,
        other.run_id,
    }
    assert len(await runs.list(limit=1)) == 1
    for limit in (0, 1001):
        with pytest.raises(InvalidRequest):
            await runs.list(limit=limit)


async def test_key_is_the_run_id_and_a_retry_is_the_same_run(runs: Runs, told: Told) -> None:
    """The same start under the same key gives the first run, open or ended."""
    first = await runs.start(ANN, new_run(idempotency_key="k"))
    again = await runs.start(ANN, new_run(idempotency_key="k"))
    ended = await runs.complete(ANN, "k", SUCCESS)

    assert first == again
    assert first.run_id == "k"
    assert await runs.start(ANN, new_run(idempotency_key="k"), "c2") == ended
    assert told.kinds == ["run.started", "run.ended"]


async def test_key_of_another_run_is_refused(runs: Runs) -> None:
    """A key is taken by its agent and its intent."""
    await runs.start(OPERATOR, new_run(idempotency_key="k"))

    with pytest.raises(Forbidden, match="belongs to another agent"):
        await runs.start(OPERATOR, new_run("bob", idempotency_key="k"))
    with pytest.raises(IdempotencyConflict):
        await runs.start(OPERATOR, new_run(intent="else", idempotency_key="k"))
    assert [run.run_id for run in await runs.list()] == ["k"]


@pytest.mark.parametrize(
    ("caller", "new", "error"),
    [
        (READER, new_run(), Forbidden),
        (ANN, new_run("bob"), Forbidden),
        (OPERATOR, new_run(""), InvalidRequest),
        (OPERATOR, new_run("a" * 257), InvalidRequest),
        (OPERATOR, new_run(intent="x" * 65_537), TooLarge),
        (OPERATOR, new_run(outcome_description="ä" * 32_769), TooLarge),
        (OPERATOR, new_run(idempotency_key=""), InvalidRequest),
        (OPERATOR, new_run(idempotency_key="k" * 257), InvalidRequest),
        (OPERATOR, new_run(idempotency_key="*"), InvalidRequest),
        (OPERATOR, new_run(idempotency_key="a\nb"), InvalidRequest),
    ],
)
async def test_start_that_cannot_be_is_refused(
    runs: Runs, caller: Principal, new: StartRun, error: type[Exception]
) -> None:
    """A caller without the right, another's name, no name or an oversized text starts nothing."""
    with pytest.raises(error):
        await runs.start(caller, new)
    assert await runs.list() == []


async def test_complete_keeps_the_outcome_and_the_first_one_stays(
    runs: Runs, told: Told, clock: ManualClock
) -> None:
    """The end is stored and told; a second one is an error."""
    run = await runs.start(ANN, new_run())
    clock.advance(5)
    ended = await runs.complete(ANN, run.run_id, SUCCESS)

    assert (ended.status, ended.ended_at) == ("completed", clock.now)
    assert runs.get(run.run_id) == await runs.find(run.run_id) == ended
    termination = told.data()["termination"]
    assert (termination["kind"], termination["status"]) == ("outcome", "success")
    for again in (runs.complete(ANN, run.run_id, SUCCESS), runs.cancel(ANN, run.run_id)):
        with pytest.raises(Conflict, match="has ended before: completed"):
            await again
    assert await runs.list() == [ended]


async def test_end_of_a_run_that_is_not_ones_own_is_refused(runs: Runs, journal: Journal) -> None:
    """Unknown runs, other agents' runs and chat turns cannot be completed."""
    run = await runs.start(ANN, new_run())
    chat = msgspec.structs.replace(run, run_id="chat", source="chat", on_disconnect="continue")
    await journal.commit(lambda tx: runs.start_in(tx, chat, actor="agent:ann"))

    with pytest.raises(NotFound):
        await runs.complete(ANN, "nope", SUCCESS)
    with pytest.raises(Forbidden):
        await runs.complete(BOB, run.run_id, SUCCESS)
    with pytest.raises(Conflict, match="chat turn"):
        await runs.complete(ANN, "chat", SUCCESS)
    with pytest.raises(Forbidden):
        await runs.cancel(READER, run.run_id)
    assert {run.status for run in await runs.list()} == {"in_progress"}


async def test_retried_end_with_a_key_is_the_first_answer(runs: Runs, clock: ManualClock) -> None:
    """A retry gets the first answer, whatever the clock says; another body is a conflict."""
    run = await runs.start(ANN, new_run())
    first = await runs.complete(ANN, run.run_id, SUCCESS, key="k")
    clock.advance(1000)

    assert await runs.complete(ANN, run.run_id, SUCCESS, key="k") == first
    with pytest.raises(IdempotencyConflict):
        await runs.complete(ANN, run.run_id, Outcome(status="failure"), key="k")


async def test_cancelled_run_says_why(runs: Runs, told: Told) -> None:
    """A cancelled run has an end of its own kind, also for a retry."""
    run = await runs.start(ANN, new_run())
    first = await runs.cancel(ANN, run.run_id, reason="stop", key="k")
    again = await runs.cancel(ANN, run.run_id, reason="stop", key="k")

    assert first == again
    assert told.data()["termination"] == {"kind": "cancelled", "reason": "stop"}
    assert (first.status, told.kinds.count("run.ended")) == ("cancelled", 1)


# -- turns -----------------------------------------------------------------------------------


async def test_turns_are_numbered_told_and_counted(runs: Runs, told: Told) -> None:
    """Two batches make one sequence; stored and told turns are the same bytes."""
    run = await runs.start(ANN, new_run())
    first = await runs.record_turns(ANN, run.run_id, [Turn(tool="a"), Turn(tool="b")])
    second = await runs.record_turns(ANN, run.run_id, [Turn(tool="c")])

    assert (first, second) == (Recorded(0, 2), Recorded(2, 1))
    assert [told.data(n)["index"] for n in (1, 2, 3)] == [0, 1, 2]
    snapshot = await runs.snapshot(run.run_id)
    stored = msgspec.json.decode(snapshot.turns)
    assert stored == [told.data(n)["turn"] for n in (1, 2, 3)]
    assert snapshot.run == runs.get(run.run_id)
    assert snapshot.run.turn_count == 3
    assert snapshot.seq == 4


async def test_batch_that_cannot_be_taken_leaves_nothing(runs: Runs, told: Told) -> None:
    """Of a batch that is dropped, no turn is in the trace."""
    run = await runs.start(ANN, new_run())
    too_large = Turn(tool="x" * 300_000)
    assert await runs.record_turns(ANN, run.run_id, [Turn(), too_large]) == Recorded(
        dropped="turn_too_large"
    )
    for caller, run_id in ((BOB, run.run_id), (ANN, "nope")):
        answer = await runs.record_turns(caller, run_id, [Turn()])
        assert answer == Recorded(dropped="run_not_found")
    await runs.complete(ANN, run.run_id, SUCCESS)
    assert await runs.record_turns(ANN, run.run_id, [Turn()]) == Recorded(dropped="run_terminal")
    with pytest.raises(InvalidRequest, match="257 turns in one call"):
        await runs.record_turns(ANN, run.run_id, [Turn()] * 257)
    assert told.kinds == ["run.started", "run.ended"]


async def test_run_takes_so_many_turns_and_no_more(runs: Runs) -> None:
    """The batch that would pass the limit is dropped whole; one that just fits is taken."""
    run = await runs.start(ANN, new_run())
    for _ in range(7):
        await runs.record_turns(ANN, run.run_id, [Turn()] * 256)
    left = MAX_TURNS - 7 * 256

    over = await runs.record_turns(ANN, run.run_id, [Turn()] * (left + 1))
    assert over == Recorded(dropped="run_turn_limit")
    assert await runs.record_turns(ANN, run.run_id, [Turn()] * left) == Recorded(7 * 256, left)


async def test_trace_is_bounded_in_bytes(runs: Runs) -> None:
    """A trace never outgrows one message of a client."""
    run = await runs.start(ANN, new_run())
    large = Turn(tool="x" * 250_000)
    assert (await runs.record_turns(ANN, run.run_id, [large] * 50)).count == 50

    assert (await runs.record_turns(ANN, run.run_id, [large])).dropped == "run_turn_limit"


async def test_retried_turns_with_a_key_are_recorded_once(runs: Runs) -> None:
    """A retry of a batch gets the first answer."""
    run = await runs.start(ANN, new_run())
    first = await runs.record_turns(ANN, run.run_id, [Turn()], key="k")

    assert await runs.record_turns(ANN, run.run_id, [Turn()], key="k") == first
    assert (await runs.find(run.run_id)).turn_count == 1


# -- parts of other services' units ----------------------------------------------------------


async def test_answer_to_turns_can_be_looked_for(runs: Runs, journal: Journal) -> None:
    """Without recording anything; other turns under the key are a conflict."""
    run = await runs.start(ANN, new_run())
    look = recorded(ANN, run.run_id, [Turn(tool="a")], key="k")
    assert await journal.commit(look) is None
    answer = await runs.record_turns(ANN, run.run_id, [Turn(tool="a")], key="k")
    assert await journal.commit(look) == Stored(answer)
    with pytest.raises(IdempotencyConflict):
        await journal.commit(recorded(ANN, run.run_id, [Turn(tool="b")], key="k"))


async def test_another_service_starts_and_ends_a_run_in_its_own_unit(
    runs: Runs, journal: Journal, told: Told, clock: ManualClock
) -> None:
    """Memory follows runs that chat writes in its units, and causes are kept."""
    run = chat_run(session_key="agent:ann:main", started_at=clock.now)

    def turn(tx: Transaction) -> None:
        started = runs.start_in(tx, run, actor="operator", cause="request-1")
        runs.turn_in(tx, "turn-1", Turn(prompt="hi"), actor="agent:ann", cause=started.id)
        end = msgspec.Raw(b'{"kind":"incomplete"}')
        runs.end_in(tx, "turn-1", "incomplete", end, actor="agent:ann", cause=started.id)

    await journal.commit(turn)
    assert told.kinds == ["run.started", "run.turn", "run.ended"]
    assert [event.cause for event in told.events] == ["request-1", *[told.events[0].id] * 2]
    assert told.data(0)["session_key"] == "agent:ann:main"
    ended = runs.get("turn-1")
    assert ended is not None
    assert (ended.status, ended.turn_count) == ("incomplete", 1)


async def test_parts_refuse_what_cannot_be(runs: Runs, journal: Journal) -> None:
    """A turn or an end of an unknown or an ended run is an error, and so is a huge turn."""
    run = await runs.start(ANN, new_run())
    end = msgspec.Raw(b"{}")

    def turn_of(run_id: str, turn: Turn) -> Callable[[Transaction], object]:
        return lambda tx: runs.turn_in(tx, run_id, turn, actor="a")

    def end_of(run_id: str) -> Callable[[Transaction], object]:
        return lambda tx: runs.end_in(tx, run_id, "completed", end, actor="a")

    with pytest.raises(TooLarge):
        await journal.commit(turn_of(run.run_id, Turn(tool="x" * 300_000)))
    for unit in (turn_of("nope", Turn()), end_of("nope")):
        with pytest.raises(NotFound):
            await journal.commit(unit)
    await runs.complete(ANN, run.run_id, SUCCESS)
    for unit in (turn_of(run.run_id, Turn()), end_of(run.run_id)):
        with pytest.raises(Conflict):
            await journal.commit(unit)
