"""Conversations as they were seen or agreed on, frame by frame."""

import pytest

from hubbub.dialects.openclaw.settings import OpenclawSettings
from tests.dialects.openclaw.house import House
from tests.dialects.openclaw.replay import FOLDER, fits, replay


@pytest.fixture
def settings() -> OpenclawSettings:
    """Give the door's own settings, all at their defaults."""
    return OpenclawSettings()


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.jsonl")))
async def test_conversation_goes_as_written(house: House, name: str) -> None:
    """Every message comes in the order, the number and the shape that is written down."""
    await replay(house, name)


def test_replay_notices_a_difference() -> None:
    """The comparison that all conversations rest on tells apart what is not the same."""
    assert fits({"a": "<int>", "...": 1}, {"a": 1, "b": 2})
    assert not fits({"a": "<int>"}, {"a": 1, "b": 2})
    assert not fits({"a": 1, "...": 1}, {"b": 2})
    assert not fits({"a": "<text>"}, {"a": 1})
    assert not fits([1], [1, 2])
    assert not fits({"a": 1}, [1])
