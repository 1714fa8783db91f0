"""Settings of the CAR door: every limit with its unit and default."""

import msgspec


class CarSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section ``[dialects.car]``."""

    grace_ms: int = 250
    """Milliseconds between the end of a connection and that of the runs it left open."""
    auth_timeout_ms: int = 30_000
    """Milliseconds that a connection has to authenticate; then it is closed."""
    max_message_bytes: int = 16 * 1024 * 1024
    """Bytes in one message from a client at most; a larger one closes with 1009."""
    max_requests: int = 1024
    """Requests of one connection that may be in work at a time."""
    max_subscriptions: int = 256
    """Runs that one connection may follow at a time."""
    max_tools: int = 1000
    """Tools, and policies, that one connection may register."""
    max_tools_bytes: int = 4 * 1024 * 1024
    """Bytes of all tools, and of all policies, of one connection at most."""
    max_turns: int = 32
    """Chat turns that one attached agent may take, and one host may hear, at a time."""
    max_turn_events: int = 10_000
    """Events of one chat turn that may wait to be taken; one more fails the turn."""
    ack_timeout_ms: int = 30_000
    """Milliseconds that an agent has to accept or refuse a chat turn."""
