"""Rooms for tests of the chat."""

from collections.abc import AsyncIterator, Callable

import pytest

from hubbub.core.chat.agents import AgentSettings, ChatSettings
from hubbub.core.ports import Runner
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock
from tests.unit.core.chat_room import Room


MakeRoom = Callable[..., Room]


@pytest.fixture
async def make_room(store: SqliteStore, clock: ManualClock) -> AsyncIterator[MakeRoom]:
    """Make rooms on one store: each is a daemon after the one before it."""
    rooms: list[Room] = []

    def make(
        agent: AgentSettings | None = None,
        settings: ChatSettings | None = None,
        runner: Runner | None = None,
    ) -> Room:
        rooms.append(Room(store, clock, agent=agent, settings=settings, runner=runner))
        return rooms[-1]

    yield make
    # Those before the last have crashed: the store tells them nothing any more.
    for room in rooms[-1:]:
        await room.chat.close()


@pytest.fixture
def chat_room(make_room: MakeRoom) -> Room:
    """Give one room."""
    return make_room()
