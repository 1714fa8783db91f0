"""The section ``[dialects.crosslink]``."""

import msgspec

from hubbub.core.limits import check_positive


class CrosslinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[dialects.crosslink]``."""

    ring_events: int = 256
    """Events that a client may be behind before the oldest are dropped and a gap is told."""
    max_body_bytes: int = 10 * 1024 * 1024
    """Bytes of a request body at most."""
    max_message_bytes: int = 64 * 1024
    """Bytes of one message of a client on the socket at most; larger ones close it (1009)."""
    stale_lock_after_s: float = 3600.0
    """Seconds after which a lock counts as stale, since its claim or its holder's heartbeat."""

    def __post_init__(self) -> None:
        """Check that no limit shuts the door altogether.

        Raises:
            ValueError: One does.
        """
        check_positive(self)


DEFAULT_SETTINGS = CrosslinkSettings()
