"""Standing subscriptions: they outlive the daemon, and are not doubled by it."""

from collections.abc import Callable
from itertools import count

import pytest

from hubbub.core.journal import Journal
from hubbub.core.standing import Standing
from hubbub.core.values import OPERATOR, Principal
from hubbub.errors import Conflict, IdempotencyConflict, NotFound
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock


ANN = Principal(name="ann")
Daemon = Callable[[], Standing]


@pytest.fixture
def daemon(journal: Journal, store: SqliteStore, clock: ManualClock) -> Daemon:
    """Make the service as one daemon after the other has it."""
    daemons, ids = count(), count(1)

    def make() -> Standing:
        return Standing(
            journal,
            store,
            clock,
            door="x0x",
            daemon=f"daemon-{next(daemons)}",
            new_id=lambda: f"s{next(ids)}",
        )

    return make


async def add(
    standing: Standing,
    topic: str,
    *,
    caller: Principal = OPERATOR,
    limit: int = 9,
    key: str | None = None,
) -> str:
    """Subscribe."""
    return await standing.add(caller, topic, limit=limit, key=key)


async def test_subscriptions_come_back_and_end_for_good(daemon: Daemon) -> None:
    """A later daemon has those that were made and not those that were ended."""
    standing = daemon()
    one, two = await add(standing, "t"), await add(standing, "t")
    three = await add(standing, "u")
    await standing.remove(OPERATOR, three, key=None)
    assert standing.by_topic == {"t": [one, two]}

    later = daemon()
    await later.load()
    assert later.by_topic == {"t": [one, two]}
    with pytest.raises(NotFound):
        await later.remove(OPERATOR, three, key=None)


async def test_who_subscribes_anew_after_a_restart_gets_the_old_one(daemon: Daemon) -> None:
    """Each of them once, in their order; another caller, another topic and a third are new."""
    standing = daemon()
    one, two = await add(standing, "t"), await add(standing, "t")
    later = daemon()
    await later.load()
    assert await add(later, "t", caller=ANN) == "s3"
    assert [await add(later, "t") for _ in range(3)] == [one, two, "s6"]
    assert await add(later, "u") == "s7"
    assert later.by_topic == {"t": [one, two, "s3", "s6"], "u": ["s7"]}


async def test_change_is_told_where_a_topic_comes_or_goes(daemon: Daemon) -> None:
    """The fan-out is set anew then, and not for a second subscription of a topic."""
    standing, changes = daemon(), list[list[str]]()
    standing.changed = lambda: changes.append(sorted(standing.by_topic))
    one, two = await add(standing, "t"), await add(standing, "t")
    await standing.remove(OPERATOR, one, key=None)
    await standing.remove(OPERATOR, two, key=None)
    assert changes == [["t"], []]


async def test_retry_subscribes_and_ends_once(daemon: Daemon) -> None:
    """Under a key: the same id, and after the end no new beginning; another topic: a conflict."""
    standing = daemon()
    one = await add(standing, "t", key="k")
    assert await add(standing, "t", key="k") == one
    assert standing.by_topic == {"t": [one]}
    with pytest.raises(IdempotencyConflict):
        await add(standing, "u", key="k")
    for _ in range(2):
        await standing.remove(OPERATOR, one, key="end")
    assert await add(standing, "t", key="k") == one
    assert standing.by_topic == {}


async def test_too_many_are_refused(daemon: Daemon) -> None:
    """While all of them are of clients that were here since the start, the limit holds."""
    standing = daemon()
    await add(standing, "t", limit=1)
    with pytest.raises(Conflict, match="1 subscriptions are open"):
        await add(standing, "t", limit=1)
    assert standing.forgotten == 0


async def test_client_that_never_came_back_makes_room(daemon: Daemon, journal: Journal) -> None:
    """The oldest unclaimed one goes; that positions from before are incomplete is remembered."""
    standing = daemon()
    await add(standing, "t")
    await journal.commit(lambda tx: tx.append("t", "message", 1, actor="a"))
    later = daemon()
    await later.load()
    new = await add(later, "u", limit=1)
    assert (later.by_topic, later.forgotten) == ({"u": [new]}, 1)
    last = daemon()
    await last.load()
    assert (last.by_topic, last.forgotten) == ({"u": [new]}, 1)
