"""A room with a crosslink door."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hubbub.dialects.crosslink.settings import CrosslinkSettings
from tests.dialects.crosslink.room import Room, open_room
from tests.unit.conftest import ManualClock


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Give a room with the door's default settings."""
    async with open_room(tmp_path / "hubbub.db", ManualClock(), CrosslinkSettings()) as opened:
        yield opened
