"""Types of `topics`.

Written by `python -m scripts.write_client`.
"""

import msgspec

from hubbub.client.events import Position


class PublishedAt(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``topics.publish``."""

    id: str
    position: Position
    cursor: str
