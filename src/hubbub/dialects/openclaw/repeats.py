"""The OpenClaw door: what a repeated request gets."""

from collections.abc import Mapping

from hubbub.dialects.openclaw.absent import ANSWERS, STAMPED
from hubbub.dialects.repeats import READS, Repeat, all_are, stored


KEY = "`idempotencyKey`"
RUN_KEY = f"{KEY}, required: the run's id"

REPEATS: Mapping[str, Repeat] = {
    "chat.send": Repeat(
        RUN_KEY,
        "the same run and its state now; no second turn. A stop word or a slash command is not "
        "worked off again",
    ),
    "agent": Repeat(RUN_KEY, "the same run: accepted while it goes on, and how it ends"),
    **stored(
        KEY,
        "chat.abort",
        "chat.inject",
        "sessions.patch",
        "sessions.reset",
        "sessions.delete",
    ),
    **all_are(
        READS,
        "agent.wait",
        "chat.history",
        "sessions.list",
        "sessions.preview",
        "sessions.resolve",
        "health",
        "status",
        "system-presence",
        "agents.list",
        "agent.identity.get",
        "models.list",
        *ANSWERS,
        *STAMPED,
    ),
}
"""Method to what a repeat of it gets."""
