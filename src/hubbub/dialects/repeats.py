"""What a request gets that is sent a second time: one row for each verb of each door.

Each door has its table in ``<door>/repeats.py``. A test holds the tables against the doors'
routes, methods and commands, so that no verb is without a row, and tries every row; the page
``docs/idempotency.md`` is made of them.
"""

from collections.abc import Mapping

import msgspec


class Repeat(msgspec.Struct, frozen=True):
    """One verb."""

    key: str
    """Where the idempotency key goes; empty: the verb takes none."""
    answer: str
    """What a repeat is answered, and what it does."""


FIRST = "the first answer; nothing happens"
"""Answer of a verb whose result is stored under the key, in the transaction of its effect."""
READS = Repeat("", "what is so now: the verb only reads")
CONNECTION = Repeat("", "the same; it changes nothing but this connection, and ends with it")
STATE = Repeat("", "the same; it says how things stand, and so they stand already")


def stored(key: str, *verbs: str) -> Mapping[str, Repeat]:
    """Give the rows of verbs whose answers are stored under a key that goes to one place."""
    return dict.fromkeys(verbs, Repeat(key, FIRST))


def all_are(repeat: Repeat, *verbs: str) -> Mapping[str, Repeat]:
    """Give the same row for several verbs."""
    return dict.fromkeys(verbs, repeat)
