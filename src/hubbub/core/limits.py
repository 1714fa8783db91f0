"""Bounds that hold for every door: what one peer may take of the daemon."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[limits]``."""

    outbox_messages: int = 1024
    """Frames that wait for a slow client at most, where its door names no bound of its own."""
    outbox_bytes: int = 4 * 1024 * 1024
    """Bytes that wait for a slow client at most, where its door names no bound of its own."""
    write_buffer_bytes: int = 256 * 1024
    """Bytes in a connection's own buffer from which its client counts as slow."""
    message_bytes: int = 16 * 1024 * 1024
    """Bytes in one WebSocket message at most, where the door names no bound of its own."""
    body_bytes: int = 16 * 1024 * 1024
    """Bytes in the body of one HTTP request at most, where the door names no bound of its own."""
    session_tokens: int = 10_000
    """Short-lived tokens alive at a time; the oldest go first."""
    session_token_s: float = 600.0
    """Seconds that a short-lived token lives."""
    stop_s: float = 3.0
    """Seconds that connections have to take their last frames at a stop."""
