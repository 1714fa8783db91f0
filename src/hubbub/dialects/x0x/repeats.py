"""The x0x door: what a repeated request gets."""

from collections.abc import Mapping

from hubbub.dialects.repeats import CONNECTION, FIRST, READS, STATE, Repeat, stored


HEADER = "header `Idempotency-Key`"

REPEATS: Mapping[str, Repeat] = {
    **stored(f"`idempotency_key`, or {HEADER}", "POST /publish"),
    **stored(f"`logical_id`, or {HEADER}; for each recipient", "POST /direct/send"),
    "POST /subscribe": Repeat(
        HEADER,
        f"{FIRST}. Without a key: another subscription; the first time after a restart of the "
        "daemon, the caller's old one",
    ),
    **stored(HEADER, "DELETE /subscribe/{id}"),
    "POST /announce": STATE,
    "POST /agents/connect": READS,
    "POST /auth/session": Repeat(
        "", "a token of its own: it is not stored, and ends by itself after ten minutes"
    ),
    "POST /shutdown": STATE,
    "socket publish": Repeat("`idempotency_key`", "nothing, as the first time; nothing happens"),
    "socket send_direct": Repeat(
        "`logical_id`; for each recipient", "nothing, as the first time; nothing happens"
    ),
    "socket subscribe": CONNECTION,
    "socket unsubscribe": CONNECTION,
    "socket ping": READS,
}
"""Method and path, or a socket's command, to what a repeat of it gets."""
