"""Agents' settings: what a runner needs, and how agents are found."""

from typing import Any

import msgspec
import pytest

from hubbub.core.chat.agents import Agents, AgentSettings
from tests.unit.core.chat_room import PlayedRunner


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"runner": "command"}, "needs command"),
        ({"runner": "openai", "model": "m"}, "needs base_url"),
        ({"runner": "openai", "base_url": "http://x/v1"}, "needs model"),
        ({"timeout_s": 0}, "timeout_s must be over 0"),
        ({"max_session_turns": 0}, "max_session_turns at least 1"),
        ({"runner": "magic"}, "magic"),
        ({"comand": ["x"]}, "comand"),
    ],
)
def test_incomplete_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    """What is missing, out of range or misspelt is named."""
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert(settings, AgentSettings)


def test_agent_is_found_under_any_spelling_of_its_name() -> None:
    """Settings are found under the id that session keys have; others get the defaults."""
    runner = PlayedRunner()
    agents = Agents({"Big Builder": AgentSettings(timeout_s=5)}, lambda _: runner)
    assert agents.names() == ["big-builder"]
    assert agents.settings("big-builder").timeout_s == 5
    assert agents.settings("nobody") == AgentSettings()
    assert agents.runner("nobody") is runner
