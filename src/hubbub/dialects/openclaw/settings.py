"""Settings of the OpenClaw door: every limit with its unit and default."""

import msgspec


class OpenclawSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section ``[dialects.openclaw]``."""

    history_max_bytes: int = 6 * 1024 * 1024
    """Bytes of JSON in the ``messages`` of one ``chat.history`` answer at most."""
    max_frame_bytes: int = 512 * 1024
    """Bytes in one frame from a client at most; a larger one closes with 1009."""
    max_buffered_bytes: int = 1536 * 1024
    """Bytes that wait for a slow client before events are skipped or it is closed (1008)."""
    max_pending_requests: int = 256
    """Requests of one connection that may be in work at a time."""
    handshake_timeout_ms: int = 10_000
    """Milliseconds that a client has to connect; then a plain close."""
    tick_interval_ms: int = 30_000
    """Milliseconds between two ``tick`` events; clients give up after twice that."""
    health_interval_ms: int = 60_000
    """Milliseconds between two ``health`` events when nobody connects."""
    state_interval_ms: int = 250
    """Milliseconds between two ``presence`` or two ``health`` events at least."""
    delta_interval_ms: int = 150
    """Milliseconds between two ``chat`` deltas of one run at least."""
    final_delay_ms: int = 50
    """Milliseconds between a message's acceptance and the last event of its run at least: the
    terminal client waits for ever where it reads both at once.
    """
    signature_skew_ms: int = 600_000
    """Milliseconds by which ``device.signedAt`` may differ from our clock."""
    presence_ttl_ms: int = 300_000
    """Milliseconds that a client which has left stays in the presence list."""
    max_presence_entries: int = 200
    """Entries in the presence list at most; the oldest go first."""
    max_system_events: int = 20
    """System event lines that are remembered per session at most."""
    replay_events: int = 100
    """Chat events of its absence that a returning client is told at most: the newest."""
    outcome_ttl_ms: int = 600_000
    """Milliseconds for which ``agent.wait`` remembers how a run ended."""
    allow_insecure_control_ui: bool = False
    """Let a Control UI connect with the token alone, from a page without a secure context."""
