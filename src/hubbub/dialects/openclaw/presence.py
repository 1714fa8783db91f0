"""Who is here, as ``system-presence`` and ``presence`` events tell it.

Clients of this door and agents that came through any other stand in one list. Whoever is
connected stays in it; whoever has left stays for a while, with the reason ``disconnect``.
"""

import platform
from collections import Counter

import msgspec

from hubbub import __version__
from hubbub.core.values import Clock
from hubbub.dialects.openclaw.handshake import Accepted
from hubbub.dialects.openclaw.settings import OpenclawSettings


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One line of the presence list."""

    host: str
    text: str
    ts: int
    """Unix time in milliseconds."""
    mode: str
    reason: str
    ip: str | None = None
    version: str | None = None
    platform: str | None = None
    device_family: str | None = None
    model_identifier: str | None = None
    device_id: str | None = None
    instance_id: str | None = None
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Presence:
    """The list and its version."""

    def __init__(self, settings: OpenclawSettings, clock: Clock) -> None:
        """Begin with the gateway alone."""
        self._settings = settings
        self._clock = clock
        self._entries: dict[str, Entry] = {}
        self._connected: Counter[str] = Counter()
        self.version = 1
        """Grows with every change."""

    def entries(self) -> list[Entry]:
        """Give the list: the gateway itself, then the newest first."""
        self._prune()
        others = sorted(self._entries.values(), key=lambda entry: -entry.ts)
        return [self._self(), *others[: self._settings.max_presence_entries - 1]]

    def joined(self, key: str, entry: Entry) -> None:
        """Count a connection in."""
        self._connected[key] += 1
        self._put(key, entry)

    def seen(self, key: str, entry: Entry) -> None:
        """Note someone, connected or not, who did something or fell silent."""
        known = self._entries.get(key)
        if known is not None and not entry.tags:
            entry = msgspec.structs.replace(entry, text=known.text, tags=known.tags)
        self._put(key, entry)

    def left(self, key: str) -> None:
        """Count a connection out; its entry stays for a while when it was the last."""
        self._connected[key] -= 1
        if self._connected[key] > 0:
            return
        del self._connected[key]
        entry = self._entries.get(key)
        if entry is not None:
            gone = msgspec.structs.replace(entry, reason="disconnect", ts=self._clock())
            self._put(key, gone)

    def _put(self, key: str, entry: Entry) -> None:
        self._entries[key] = entry
        self._prune()
        self.version += 1

    def _prune(self) -> None:
        """Forget who left long ago, and the oldest of those who left when there are too many."""
        horizon = self._clock() - self._settings.presence_ttl_ms
        gone = sorted(
            (entry.ts, key) for key, entry in self._entries.items() if key not in self._connected
        )
        excess = len(self._entries) - self._settings.max_presence_entries
        for number, (ts, key) in enumerate(gone):
            if ts <= horizon or number < excess:
                del self._entries[key]

    def _self(self) -> Entry:
        host = platform.node()
        return Entry(
            host=host,
            text=f"Gateway: {host} · hubbub {__version__}",
            ts=self._clock(),
            mode="gateway",
            reason="self",
            version=__version__,
            platform=platform.system().lower(),
            roles=("gateway",),
        )


def client_key(accepted: Accepted, connection_id: str) -> str | None:
    """Give the key under which a client stands in the list; ``None``: it is not shown.

    Command-line calls come and go within a second and would only flicker.
    """
    client, device = accepted.connect.client, accepted.connect.device
    if "cli" in (client.id, client.mode):
        return None
    return device.id if device is not None else client.instance_id or connection_id


def client_entry(accepted: Accepted, remote: str, now_ms: int) -> Entry:
    """Make the entry of a client that has connected."""
    connect = accepted.connect
    client, device = connect.client, connect.device
    host = client.display_name or client.id
    where = f" ({remote})" if remote else ""
    return Entry(
        host=host,
        text=f"Node: {host}{where} · {client.id} {client.version} · mode {client.mode}",
        ts=now_ms,
        mode=client.mode,
        reason="connect",
        ip=remote or None,
        version=client.version,
        platform=client.platform,
        device_family=client.device_family,
        model_identifier=client.model_identifier,
        device_id=None if device is None else device.id,
        instance_id=client.instance_id,
        roles=(connect.role,),
        scopes=tuple(sorted(accepted.scopes)),
    )


def agent_entry(agent: str, door: str, reason: str, now_ms: int) -> Entry:
    """Make the entry of an agent.

    Args:
        door: That it came through; empty where it is not known.
        reason: ``connect``, or what it does: ``active``, ``idle``, ``stale``, ``offline``.
    """
    return Entry(
        host=agent,
        text=f"Agent: {agent} · via {door}" if door else f"Agent: {agent}",
        ts=now_ms,
        mode="agent",
        reason="disconnect" if reason == "offline" else reason,
        roles=("agent",),
        tags=(door,) if door else (),
    )
