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
    ticket_ttl_s: float = 600.0
    """Seconds for which the ticket of a link to the page can be redeemed, once."""
    browser_token_s: float = 43_200.0
    """Seconds that a browser's token lives after its last use; an open connection uses it."""
    browser_tokens: int = 1000
    """Browsers' tokens alive at a time, the one that was used longest ago goes first; and tickets,
    the oldest first."""
    messages_per_s: float = 50_000.0
    """Messages per second (requests and WebSocket messages, through all doors) that one caller may
    send for long; 0: any number. A caller is a principal; who has shown no token, an address."""
    messages_burst: int = 100_000
    """Messages that one caller may send at once after a pause."""
    bytes_per_s: float = 256.0 * 1024 * 1024
    """Bytes per second of such messages that one caller may send for long; 0: any number."""
    bytes_burst: int = 512 * 1024 * 1024
    """Bytes that one caller may send at once after a pause."""
    listener_messages_per_s: float = 0.0
    """Messages per second that one listener takes from all callers together; 0: any number."""
    listener_messages_burst: int = 100_000
    """Messages that one listener takes at once after a pause."""
    listener_bytes_per_s: float = 0.0
    """Bytes per second that one listener takes from all callers together; 0: any number."""
    listener_bytes_burst: int = 512 * 1024 * 1024
    """Bytes that one listener takes at once after a pause."""
    listener_connections: int = 16_384
    """Connections open at a time on one listener; 0: any number."""
    principal_connections: int = 8_192
    """WebSocket and event stream connections of one principal open at a time, on all listeners
    together; 0: any number."""
    remote_connections: int = 8_192
    """Connections from one address open at a time, on all listeners together; 0: any number."""
    header_s: float = 10.0
    """Seconds that a new connection has to send its first request, up to the end of its headers;
    with TLS, also the seconds that it has for its handshake. 0: any number."""
    idle_s: float = 120.0
    """Seconds that a connection may stay open between two HTTP requests, the next one's headers
    included; 0: any number."""
    body_s: float = 60.0
    """Seconds that a client has to send the body of a request; 0: any number."""
    header_bytes: int = 8190
    """Bytes of a request's first line, and of each of its headers, at most."""
    max_headers: int = 128
    """Headers of a request at most."""

    def __post_init__(self) -> None:
        """Check that what may be taken for long may be taken at all.

        Raises:
            ValueError: A burst, a size or a life is 0.
        """
        for name in ("messages", "bytes", "listener_messages", "listener_bytes"):
            if getattr(self, f"{name}_per_s") and not getattr(self, f"{name}_burst"):
                message = f"{name}_burst = 0 must be more than 0; {name}_per_s = 0 sets no limit"
                raise ValueError(message)
        browsers = ("ticket_ttl_s", "browser_token_s", "browser_tokens")
        for name in ("header_bytes", "max_headers", *browsers):
            if not getattr(self, name):
                message = f"{name} = 0 must be more than 0"
                raise ValueError(message)

    def messages(self) -> "Rate":
        """Give the messages that one caller may send."""
        return Rate(self.messages_per_s, self.messages_burst)

    def bytes(self) -> "Rate":
        """Give the bytes that one caller may send."""
        return Rate(self.bytes_per_s, self.bytes_burst)

    def listener_messages(self) -> "Rate":
        """Give the messages that one listener takes."""
        return Rate(self.listener_messages_per_s, self.listener_messages_burst)

    def listener_bytes(self) -> "Rate":
        """Give the bytes that one listener takes."""
        return Rate(self.listener_bytes_per_s, self.listener_bytes_burst)


class Rate(msgspec.Struct, frozen=True):
    """How much of something may be taken in how much time."""

    per_s: float
    """Per second, for long; 0: no limit."""
    burst: int
    """At once, after a pause."""


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


def check_positive(limits: msgspec.Struct) -> None:
    """Check that no limit of a section shuts everything out.

    Raises:
        ValueError: One does.
    """
    for field in limits.__struct_fields__:
        if getattr(limits, field) <= 0:
            message = f"{field} must be over 0"
            raise ValueError(message)
