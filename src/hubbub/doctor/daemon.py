"""The running daemon: does it take writes, which doors are open, how near are its limits."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hubbub.config import LISTENERS, Settings
from hubbub.doctor.addresses import taken_by
from hubbub.doctor.finding import Finding, bad, good


FULL = 0.8
"""Part of a limit from which it counts as nearly reached."""


def look_at_daemon(
    health: Mapping[str, Any], pid: int, settings: Settings | None
) -> Iterator[Finding]:
    """Look at what a daemon says of itself.

    Args:
        health: Answer to ``system.health``.
        settings: Those with which it would start again; ``None``: they cannot be.
    """
    reasons = "; ".join(health["reasons"])
    if reasons:
        yield bad("store", reasons, "free disk space, or look for `store_failed` in its log")
    else:
        yield good("store", "takes writes")
    yield from _listeners(health["listeners"], settings)
    yield from _limits(health["limits"])
    yield from _descriptors(pid)


def environment(pid: int | None) -> Mapping[str, str]:
    """Give a process's environment as it was started; ours, where it cannot be read."""
    if pid is not None:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="surrogateescape")
            pairs = (item.partition("=") for item in text.split("\0") if item)
            return {name: value for name, _, value in pairs}
    return os.environ


def _listeners(
    listeners: Sequence[Mapping[str, Any]], settings: Settings | None
) -> Iterator[Finding]:
    """A door may have been skipped because its address was taken, or switched off."""
    opened = {listener["name"]: listener for listener in listeners}
    for name in LISTENERS:
        if name in opened:
            refused = opened[name]["refused"]
            detail = f"{refused} refused by limits since the start"
            hint = f"docs/limits.md says by which; hubbub_refused of {name} in /metrics counts them"
            url = opened[name]["url"]
            yield good(name, f"{url}; {detail}", hint) if refused else good(name, url)
            continue
        address = None if settings is None else settings.listen.address(name)
        taken = taken_by(*address) if address is not None else None
        detail = "not open" if taken is None else f"not open: its address is taken by {taken}"
        yield good(name, detail, f"if you want it, restart with --listen {name}=127.0.0.1:0")


def _limits(limits: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Find what is nearly used up, as far as it is counted; a limit of 0 is none."""
    for limit in limits:
        name, most, used = limit["name"], limit["value"], limit["used"]
        if used is not None and most and used >= FULL * most:
            detail = f"{used} of {most:g} {limit['unit']} in use"
            yield bad(f"limit {name}", detail, f"raise {name} in config.toml, then restart")


def _descriptors(pid: int) -> Iterator[Finding]:
    """Look how many files the process has open, of how many that it may."""
    try:
        used = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    except OSError:  # another system, or another user's
        return
    soft = next(line.split()[3] for line in lines if line.startswith("Max open files"))
    if soft.isdigit() and used >= FULL * int(soft):
        detail = f"{used} of {soft} are open"
        yield bad("open files", detail, "raise `ulimit -Hn` (systemd: LimitNOFILE=) and restart")
    else:
        yield good("open files", f"{used} of {soft}")
