"""One event by its id, what came of it, and which topics there are."""

import pytest

from hubbub.core import journal_reads
from hubbub.core.journal import Journal
from hubbub.core.journal_reads import TopicSummary, effects, find_event, list_topics
from hubbub.core.values import Event
from hubbub.errors import NotFound
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock


async def put(journal: Journal, topic: str, cause: str | None = None) -> Event:
    """Record an event under any topic."""
    return await journal.commit(
        lambda tx: tx.append(topic, "message", {"of": topic}, actor="operator", cause=cause)
    )


async def names(store: SqliteStore, **wanted: object) -> list[str]:
    """List the names of topics."""
    asked = {"prefix": "", "after": None, "services": True, "limit": 100, **wanted}
    return [each.topic for each in await list_topics(store, **asked)]  # type: ignore[arg-type]


async def test_event_is_found_by_its_id(journal: Journal, store: SqliteStore) -> None:
    """As it was told, with its cause."""
    await put(journal, "other")
    event = await put(journal, "t", "why")

    assert await find_event(store, event.id, upto=2) == event


async def test_event_that_was_not_told_yet_is_not_found(
    journal: Journal, store: SqliteStore
) -> None:
    """Nobody hears of an event by its id before its subscribers do; nor of one that never was."""
    event = await put(journal, "t")

    for name, upto in ((event.id, 0), ("none", 1)):
        with pytest.raises(NotFound):
            await find_event(store, name, upto=upto)


async def test_effects_are_all_events_with_that_cause(journal: Journal, store: SqliteStore) -> None:
    """Whatever their topic, oldest first, up to the limit and to what was told."""
    cause = await put(journal, "t")
    first = await put(journal, "u", cause.id)
    await put(journal, "t", first.id)
    second = await put(journal, "t", cause.id)

    assert await effects(store, cause.id, upto=4, limit=9) == [first, second]
    assert await effects(store, cause.id, upto=3, limit=9) == [first]
    assert await effects(store, cause.id, upto=4, limit=1) == [first]


async def test_topic_is_listed_with_its_newest_event(
    journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """Once, with the number of its events."""
    await put(journal, "t")
    await put(journal, "u")
    clock.advance(5)
    await put(journal, "t")

    listed = await list_topics(store, prefix="", after=None, services=True, limit=9)

    assert listed == [
        TopicSummary("t", events=2, last_seq=3, last_at=clock.now),
        TopicSummary("u", events=1, last_seq=2, last_at=clock.now - 5),
    ]


async def test_counting_ends_at_its_bound(
    journal: Journal, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic of a million events costs no more than one of a thousand."""
    monkeypatch.setattr(journal_reads, "COUNTED", 2)
    for _ in range(3):
        await put(journal, "t")

    (topic,) = await list_topics(store, prefix="", after=None, services=True, limit=9)

    assert topic == TopicSummary("t", events=2, last_seq=3, last_at=topic.last_at)


async def test_pages_of_topics_join_without_gap(journal: Journal, store: SqliteStore) -> None:
    """Each page begins behind the last name of the one before it, also where names are alike."""
    there = sorted(["a", "a\0", "a/b", "ab", "b", "é", "\U0010ffff"], key=str.encode)
    for name in reversed(there):
        await put(journal, name)

    seen: list[str] = []
    while page := await names(store, after=seen[-1] if seen else None, limit=2):
        seen += page

    assert seen == there


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("", ["a", "ab", "a\ud7ff", "a\ue000", "b", "\U0010ffffx"]),
        ("a", ["a", "ab", "a\ud7ff", "a\ue000"]),
        ("ab", ["ab"]),
        ("a\ud7ff", ["a\ud7ff"]),
        ("\U0010ffff", ["\U0010ffffx"]),
        ("c", []),
    ],
)
async def test_prefix_chooses_names_that_begin_with_it(
    journal: Journal, store: SqliteStore, prefix: str, found: list[str]
) -> None:
    """Also where the sign that follows its last one is no neighbour, or does not exist."""
    for name in ("\U0010ffffx", "b", "a\ue000", "a\ud7ff", "ab", "a"):
        await put(journal, name)

    assert await names(store, prefix=prefix) == found
    # What lies before the prefix moves its beginning nowhere.
    assert await names(store, prefix=prefix, after="A") == found


async def test_topics_of_services_can_be_left_out(journal: Journal, store: SqliteStore) -> None:
    """What is under `agents/`, `runs/` and so on is jumped over, in every page."""
    for name in ("agents/ann", "agents", "chat0", "chat/x", "lobby", "runs/1", "runs/2", "zoo"):
        await put(journal, name)

    assert await names(store, services=False) == ["agents", "chat0", "lobby", "zoo"]
    assert await names(store, services=False, limit=2) == ["agents", "chat0"]
    assert await names(store, services=False, after="lobby") == ["zoo"]
    assert await names(store, services=False, after="runs/1") == ["zoo"]
    assert await names(store, services=False, prefix="c") == ["chat0"]
    assert await names(store, services=False, prefix="runs/") == []
