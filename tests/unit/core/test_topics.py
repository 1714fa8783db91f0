"""Publishing under names that clients choose."""

import asyncio

import msgspec
import pytest

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.ports import Settled
from hubbub.core.topics import Published, Topics
from hubbub.core.values import OPERATOR, Event, Principal
from hubbub.errors import Forbidden, IdempotencyConflict, InvalidRequest
from tests.unit.conftest import ManualClock


READER = Principal(name="r", scopes=frozenset(("read",)))


@pytest.fixture
def topics(journal: Journal, clock: ManualClock) -> Topics:
    """Give the service."""
    return Topics(journal, clock)


@pytest.fixture
def told(bus: Bus) -> list[Event]:
    """Give the list of all events that are told."""
    events: list[Event] = []
    bus.listen(["*"], events.append)
    return events


async def test_published_event_carries_what_was_given(
    topics: Topics, told: list[Event], clock: ManualClock
) -> None:
    """Topic, kind, data, cause and the caller's id stand in the event."""
    published = await topics.publish(OPERATOR, "t", {"a": 1}, kind="k", cause="c")

    (event,) = told
    assert event == Event(
        1, published.id, "t", "k", "operator", clock.now, msgspec.Raw(b'{"a":1}'), "c"
    )


async def test_layout_is_taken_out_of_raw_json(topics: Topics, told: list[Event]) -> None:
    """Line breaks between tokens go (SSE would be cut there); those in strings stay escaped."""
    await topics.publish(OPERATOR, "t", msgspec.Raw(b'{\r\n "a": "x\\ny"\n}'))
    await topics.publish(OPERATOR, "t", msgspec.Raw(b'{"a": 1}'))

    assert [bytes(event.data) for event in told] == [b'{"a":"x\\ny"}', b'{"a": 1}']


async def test_retry_with_a_key_is_one_event(topics: Topics, told: list[Event]) -> None:
    """Same key, same event: one; another event under that key: refused."""
    first = await topics.publish(OPERATOR, "t", 1, key="k")
    again = await topics.publish(OPERATOR, "t", 1, key="k")
    with pytest.raises(IdempotencyConflict):
        await topics.publish(OPERATOR, "t", 2, key="k")

    assert first == again
    assert len(told) == 1


@pytest.mark.parametrize("topic", ["runs/x", "chat/agent:main:main", "locks/1", "direct/a"])
async def test_topics_of_services_are_refused(topics: Topics, topic: str) -> None:
    """Nobody can forge what a service says."""
    with pytest.raises(Forbidden, match="belongs to the daemon"):
        await topics.publish(OPERATOR, topic, 1)


async def test_reader_may_not_publish(topics: Topics) -> None:
    """Publishing needs the scope write."""
    with pytest.raises(Forbidden, match="write"):
        await topics.publish(READER, "t", 1)


async def test_empty_topic_is_refused(topics: Topics) -> None:
    """A name has at least one byte."""
    with pytest.raises(InvalidRequest, match="empty"):
        await topics.publish(OPERATOR, "", 1)


async def test_submit_answers_through_a_callback(topics: Topics) -> None:
    """The form without a task gives the same result."""
    settled: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()

    topics.submit(OPERATOR, "t", 1, settled.set_result)

    value = (await settled).value
    assert isinstance(value, Published)
    assert value.seq == 1
