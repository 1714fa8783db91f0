"""Settings of hubbub's own door: every limit with its unit and default."""

import msgspec

from hubbub.dialects.base import OutboxRules


class RpcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[dialects.hubbub]``."""

    max_read_events: int = 1000
    """Events in one answer of `journal.read` at most."""
    max_activity_points: int = 500
    """Points in one answer of `journal.activity` at most."""
    max_topics: int = 256
    """Topics in one subscription at most."""
    max_subscriptions: int = 64
    """Subscriptions of one connection at most."""
    max_message_bytes: int = 16 * 1024 * 1024
    """Bytes in one message from a client at most; a larger one closes with 1009."""
    max_body_bytes: int = 16 * 1024 * 1024
    """Bytes in the body of one HTTP request at most."""
    outbox_messages: int = 1024
    """Events that wait for one slow client; then it is fed from the store."""
    outbox_bytes: int = 4 * 1024 * 1024
    """Bytes of events that wait for one slow client; then it is fed from the store."""
    turn_grace_ms: int = 5000
    """Milliseconds that the open turns of an agent whose connection dropped wait for its next."""
    max_turns: int = 32
    """Chat turns that one attached agent may take at a time."""
    max_turn_pieces: int = 1024
    """Pieces of one answer that may wait to be told; the next is refused with `rate_limited`."""
    keepalive_s: float = 15.0
    """Seconds between two comment lines on `/events`, which show that the stream lives."""

    def rules(self) -> OutboxRules:
        """Give what holds for a slow client: nothing is lost, it is fed from the store."""
        return OutboxRules(max_messages=self.outbox_messages, max_bytes=self.outbox_bytes)


DEFAULT_LIMITS = RpcSettings()
