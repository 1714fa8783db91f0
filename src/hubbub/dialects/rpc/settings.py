"""Settings of hubbub's own door: every limit with its unit and default."""

import msgspec


class RpcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[dialects.hubbub]``."""

    max_read_events: int = 1000
    """Events in one answer of `journal.read` at most."""
    max_topics: int = 256
    """Topics in one subscription at most."""
    max_subscriptions: int = 64
    """Subscriptions of one connection at most."""
    keepalive_s: float = 15.0
    """Seconds between two comment lines on `/events`, which show that the stream lives."""


DEFAULT_LIMITS = RpcSettings()
