"""Limits as `system.health` shows them: which settings they are, and what they count."""

import pytest

from hubbub.config import Settings
from hubbub.vitals import limits, unit_of


@pytest.mark.parametrize(
    ("setting", "unit"),
    [
        ("messages_per_s", "messages/s"),
        ("listener_bytes_per_s", "bytes/s"),
        ("messages_burst", "messages"),
        ("remote_connections", "connections"),
        ("max_wait_ms", "ms"),
        ("idle_s", "s"),
        ("max_agents", "agents"),
    ],
)
def test_name_of_a_limit_says_what_it_counts(setting: str, unit: str) -> None:
    """Its last word, whatever is done with it."""
    assert unit_of(setting) == unit


def test_limits_are_the_numbers_among_the_settings() -> None:
    """All of `[limits]`, and the maxima and queues elsewhere; switches and clocks are none."""
    found = {row.name: row for row in limits(Settings(), {"chat.max_turns": 3})}

    assert found["limits.stop_s"].value == 3.0
    assert found["dialects.hubbub.outbox_bytes"].unit == "bytes"
    assert (found["chat.max_turns"].value, found["chat.max_turns"].used) == (64, 3)
    assert found["waits.max_waiting"].used is None
    assert "limits.batched_sends" not in found
    assert "dialects.hubbub.keepalive_s" not in found
    assert "presence.tick_s" not in found
