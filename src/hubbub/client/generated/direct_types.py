"""Types of `direct`.

Written by `python -m scripts.write_client`.
"""

import msgspec


class SentAt(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``direct.send``."""

    message_id: str
    seq: int
