"""Types of `journal`.

Written by `python -m scripts.write_client`.
"""

import msgspec

from hubbub.client.events import Event, Position


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``journal.read``."""

    events: list[Event]
    position: Position
    more: bool
    recovered: bool = True
