"""The CAR door: what a repeated call gets."""

from collections.abc import Mapping

from hubbub.dialects.repeats import CONNECTION, READS, STATE, Repeat, all_are, stored


KEY = "`idempotency_key`"

REPEATS: Mapping[str, Repeat] = {
    **stored(
        KEY,
        "runs.complete",
        "runs.cancel",
        "runs.record_turns",
        "runs.record_model_turn",
        "agents.chat.cancel",
    ),
    "runs.start": Repeat(f"{KEY}: the run's id", "the same run; no second one"),
    "agents.chat": Repeat(f"{KEY}: the run's id", "the same turn; no second one"),
    "runs.resume": STATE,
    "agents.register_basics": STATE,
    **all_are(
        CONNECTION,
        "server.handshake",
        "session.init",
        "tools.register",
        "tools.unregister",
        "policy.register",
        "policy.unregister",
        "runs.subscribe",
        "runs.unsubscribe",
        "host.subscribe",
    ),
    **all_are(
        READS,
        "runs.list",
        "runs.get_trace",
        "tools.list",
        "policy.list",
        "agents.list",
        "host.agents",
    ),
}
"""Method to what a repeat of it gets."""
