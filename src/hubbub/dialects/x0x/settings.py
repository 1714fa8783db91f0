"""Limits and habits of the x0x door."""

import msgspec


class X0xSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The ``[dialects.x0x]`` settings."""

    query_takes_durable_token: bool = True
    """Accept the durable token, not only a session token, in ``?token=``. Clients of 0.19 send
    it there; it is less safe, because addresses end up in logs and histories."""
    max_topics: int = 64
    """Topics of one socket; further ones are echoed and otherwise ignored."""
    outbox_frames: int = 1024
    """Frames that wait for one stalled socket."""
    outbox_bytes: int = 4 * 1024 * 1024
    """Bytes that wait for one stalled socket."""
    max_message_bytes: int = 16 * 1024 * 1024
    """Bytes in one message of a socket."""
    max_body_bytes: int = 1024 * 1024
    """Bytes in the body of one HTTP request."""
    keepalive_s: float = 30.0
    """Seconds between two unasked ``pong`` frames."""
    stream_ping_s: float = 15.0
    """Seconds between two comments on an event stream."""
    stream_frames: int = 256
    """Events that wait for one stalled event stream before it is fed from the store."""
    backfill_events: int = 100
    """Events of a backfill that names no number."""
    max_backfill_events: int = 500
    """Events of one backfill."""
    max_subscriptions: int = 10_000
    """Subscriptions made by ``POST /subscribe``; beyond, those go first whose clients have not come
    back since the last start."""

    def backfill(self, asked: int) -> int:
        """Give the number of events to replay; 0 asks for the usual number."""
        return min(asked or self.backfill_events, self.max_backfill_events)
