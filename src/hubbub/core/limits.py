"""Bounds that hold for every door: what one peer may take of the daemon."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[limits]``."""

    write_buffer_bytes: int = 256 * 1024
    """Bytes in a connection's own buffer from which its client counts as slow; from here on the
    bounds of its door hold."""
    unread_bytes: int = 8 * 1024 * 1024
    """Bytes of answers that a client may leave unread before its next request waits."""
    backlog: int = 4096
    """Connections that may wait to be accepted, for each listener."""
    stop_s: float = 3.0
    """Seconds that connections have to take their last frames at a stop."""
    batched_sends: bool = True
    """Send to many plain sockets with one system call, where the kernel can (Linux 5.19)."""
    session_tokens: int = 10_000
    """Short-lived tokens alive at a time; the oldest go first."""
    session_token_s: float = 600.0
    """Seconds that a short-lived token lives."""


class StoreLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How the store gathers work; part of the section ``[store]``."""

    batch_units: int = 256
    """Units of work in one transaction at most."""
    batch_ms: float = 2.0
    """Milliseconds for which a transaction takes further units."""
    readers: int = 2
    """Connections that read, each on a thread of its own."""


DEFAULT_LIMITS = Limits()
DEFAULT_STORE_LIMITS = StoreLimits()
