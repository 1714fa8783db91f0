"""A retry is never executed twice."""

import asyncio

import pytest

from hubbub.config import StoreSettings
from hubbub.core.bus import Bus
from hubbub.core.idempotency import digest, once
from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction, Unit
from hubbub.core.retention import Retention
from hubbub.core.values import OPERATOR, Principal
from hubbub.errors import IdempotencyConflict, InvalidRequest, NotFound
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock


ALICE = Principal(name="alice")


def unit(
    clock: ManualClock,
    *,
    key: str | None = "k",
    request: str = "r",
    caller: Principal = OPERATOR,
) -> Unit[int]:
    """Make a unit that records an event and gives its seq."""

    def run(tx: Transaction) -> int:
        return tx.append("t", "message", None, actor="a").seq

    return once(
        run, caller=caller, key=key, request=digest("verb", request), result=int, clock=clock
    )


async def test_same_key_and_request_gives_the_first_answer(
    journal: Journal, clock: ManualClock
) -> None:
    """The second call changes nothing and answers as the first did."""
    first = await journal.commit(unit(clock))
    second = await journal.commit(unit(clock))

    assert (first, second, journal.position.seq) == (1, 1, 1)


async def test_concurrent_twins_have_one_effect(journal: Journal, clock: ManualClock) -> None:
    """Twins that race are one request."""
    answers = await asyncio.gather(*(journal.commit(unit(clock)) for _ in range(20)))

    assert answers == [1] * 20
    assert journal.position.seq == 1


async def test_same_key_with_another_request_is_a_conflict(
    journal: Journal, clock: ManualClock
) -> None:
    """A key stands for one request for ever; the text names the key."""
    await journal.commit(unit(clock))

    with pytest.raises(IdempotencyConflict, match="'k'") as refused:
        await journal.commit(unit(clock, request="other"))

    assert refused.value.key == "k"
    assert journal.position.seq == 1


async def test_keys_belong_to_their_caller(journal: Journal, clock: ManualClock) -> None:
    """Two callers may choose one key."""
    await journal.commit(unit(clock))

    assert await journal.commit(unit(clock, caller=ALICE)) == 2


async def test_without_a_key_every_call_counts(journal: Journal, clock: ManualClock) -> None:
    """No key, no memory."""
    await journal.commit(unit(clock, key=None))

    assert await journal.commit(unit(clock, key=None)) == 2


async def test_failed_request_may_be_tried_again(journal: Journal, clock: ManualClock) -> None:
    """A refusal is not remembered: the key is free for the next try."""

    def fail(_tx: Transaction) -> int:
        raise NotFound("thing", 1)

    failing = once(
        fail, caller=OPERATOR, key="k", request=digest("verb", "r"), result=int, clock=clock
    )
    with pytest.raises(NotFound):
        await journal.commit(failing)

    assert await journal.commit(unit(clock)) == 1


@pytest.mark.parametrize("key", ["", "k" * 257])
def test_key_has_a_length(clock: ManualClock, key: str) -> None:
    """An empty key and one over 256 characters are refused before anything happens."""
    with pytest.raises(InvalidRequest, match="idempotency key"):
        unit(clock, key=key)


def test_digest_keeps_parts_apart() -> None:
    """Moving a byte from one part to the next makes another request."""
    assert digest("v", "ab", "c") != digest("v", "a", "bc")
    assert digest("v", b"ab") == digest("v", "ab")


async def test_answers_are_kept_as_long_as_it_is_set(
    journal: Journal, store: SqliteStore, bus: Bus, clock: ManualClock
) -> None:
    """`store.answers_days` counts, not the default."""
    settings = StoreSettings(answers_days=0.5)
    rules, answers_ms = settings.rules(), settings.answers_ms
    retention = Retention(journal, store, bus, clock, rules, answers_ms=answers_ms)
    await journal.commit(unit(clock))
    left = []
    for late_ms in (12 * 3_600_000, 1):
        clock.advance(late_ms)
        await retention.cut()
        left.append(len(await store.rows("idempotency_get", caller=OPERATOR.id, key="k")))
    assert left == [1, 0]
