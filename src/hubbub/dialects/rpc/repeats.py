"""hubbub's own door: what a repeated call gets."""

from collections.abc import Mapping

from hubbub.dialects.repeats import CONNECTION, READS, STATE, Repeat, all_are, stored


KEY = "`idempotency_key`"

REPEATS: Mapping[str, Repeat] = {
    **stored(
        KEY,
        "topics.publish",
        "direct.send",
        "runs.complete",
        "runs.record_turns",
        "runs.cancel",
        "issues.create",
        "issues.update",
        "issues.close",
        "issues.reopen",
        "issues.delete",
        "issues.comment",
        "issues.label",
        "issues.unlabel",
        "issues.block",
        "issues.unblock",
        "locks.claim",
        "locks.renew",
        "locks.release",
        "locks.steal",
        "reservations.claim",
        "reservations.renew",
        "reservations.release",
        "chat.abort",
        "chat.inject",
        "chat.session_patch",
        "chat.session_reset",
        "chat.session_delete",
        "chat.import_session",
        "tokens.revoke",
    ),
    "chat.send": Repeat(
        f"{KEY}, required: the run's id", "the same run and its state now; no second turn"
    ),
    "runs.start": Repeat(f"{KEY}: the run's id", "the same run as it is now"),
    "tokens.create": Repeat(
        KEY,
        "the same token, which is not stored but derived anew; a conflict that names the token "
        "where the operator's token is another one by now",
    ),
    "tokens.ticket": Repeat(
        KEY,
        "the same ticket, which is not stored but derived anew; it still opens the page once",
    ),
    "tokens.redeem": Repeat(
        f"{KEY}, which only the browser knows",
        "the same token, as long as it lives; without the key: `unauthorized`, for a ticket is "
        "for one use",
    ),
    "runs.resume": STATE,
    **all_are(STATE, "agents.attach", "agents.detach", "chat.say", "chat.answer"),
    "agents.heartbeat": Repeat(f"{KEY}, without effect", STATE.answer),
    **all_are(CONNECTION, "topics.subscribe", "topics.unsubscribe"),
    **all_are(
        READS,
        "system.ping",
        "system.status",
        "system.health",
        "topics.list",
        "journal.read",
        "journal.activity",
        "journal.event",
        "journal.effects",
        "runs.get",
        "runs.list",
        "runs.trace",
        "issues.list",
        "issues.get",
        "issues.ready",
        "issues.blocked",
        "locks.list",
        "reservations.list",
        "agents.list",
        "agents.identity",
        "presence.list",
        "chat.history",
        "chat.sessions",
        "tokens.list",
        "room.snapshot",
    ),
}
"""Method to what a repeat of it gets."""
