"""Addresses: which are free, and who has those that are not."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from hubbub.config import LISTENERS, Settings
from hubbub.doctor.finding import Finding, bad, good


def look_at_addresses(settings: Settings) -> Iterator[Finding]:
    """Look whether a daemon could have its addresses, while none runs."""
    for name in LISTENERS:
        address = settings.listen.address(name)
        if address is None:
            continue
        shown = getattr(settings.listen, name)
        taken = taken_by(*address)
        if taken is None:
            yield good(name, f"{shown} is free")
        else:
            fix = f"stop it, or listen elsewhere: hubbub serve --listen {name}=127.0.0.1:0"
            yield bad(name, f"{shown} is taken by {taken}", fix)


def taken_by(host: str, port: int) -> str | None:
    """Say who has an address; ``None``: it is free, or cannot be asked for here."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        # As a daemon does: what is left of connections that have ended is in nobody's way.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
            sock.listen(1)
        except OSError:
            return _owner(port)
    return None


def _owner(port: int) -> str:
    """Find the program that listens on a port, as far as /proc tells this user."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text("ascii").splitlines()[1:]:
                _, local, _, state, *rest = line.split()
                if state == "0A" and int(local.rpartition(":")[2], 16) == port:  # 0A: it listens
                    inodes.add(f"socket:[{rest[5]}]")
    for descriptors in Path("/proc").glob("[0-9]*/fd"):
        with contextlib.suppress(OSError):
            if any(str(entry.readlink()) in inodes for entry in descriptors.iterdir()):
                pid = descriptors.parent.name
                name = (descriptors.parent / "comm").read_text().strip()
                return f"{name} (pid {pid})"
    return "another program"
