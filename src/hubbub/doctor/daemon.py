"""The running daemon: does it take writes, which doors are open, how near are its limits."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from hubbub.config import LISTENERS, Settings
from hubbub.doctor.addresses import taken_by
from hubbub.doctor.finding import Finding, bad, good


FULL = 0.8
"""Part of a limit from which it counts as nearly reached."""


def look_at_daemon(
    status: Mapping[str, Any], metrics: str, pid: int, settings: Settings | None
) -> Iterator[Finding]:
    """Look at what a daemon says of itself.

    Args:
        status: Answer to ``system.status``.
        metrics: Text of ``/metrics``.
        settings: Those with which it would start again; ``None``: they cannot be.
    """
    reasons = "; ".join(status["reasons"])
    if reasons:
        yield bad("store", reasons, "free disk space, or look for `store_failed` in its log")
    else:
        yield good("store", "takes writes")
    yield from _listeners(status["listeners"], settings)
    if settings is not None:
        yield from _limits(metrics, settings)
    yield from _descriptors(pid)


def environment(pid: int | None) -> Mapping[str, str]:
    """Give a process's environment as it was started; ours, where it cannot be read."""
    if pid is not None:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="surrogateescape")
            pairs = (item.partition("=") for item in text.split("\0") if item)
            return {name: value for name, _, value in pairs}
    return os.environ


def _listeners(opened: Mapping[str, str], settings: Settings | None) -> Iterator[Finding]:
    """A door may have been skipped because its address was taken, or switched off."""
    for name in LISTENERS:
        if name in opened:
            yield good(name, opened[name])
            continue
        address = None if settings is None else settings.listen.address(name)
        taken = taken_by(*address) if address is not None else None
        detail = "not open" if taken is None else f"not open: its address is taken by {taken}"
        yield good(name, detail, f"if you want it, restart with --listen {name}=127.0.0.1:0")


def _limits(metrics: str, settings: Settings) -> Iterator[Finding]:
    most = settings.limits.listener_connections
    refused: dict[str, int] = {}
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            listener = sample.labels.get("listener", "")
            if sample.name == "hubbub_connections" and most and sample.value >= FULL * most:
                yield bad(
                    f"limit listener_connections of {listener}",
                    f"{sample.value:.0f} of {most} connections are open",
                    f"raise limits.listener_connections (now {most}), or end clients of {listener}",
                )
            if sample.name == "hubbub_refused_total" and sample.value:
                limit = sample.labels["limit"]
                refused[limit] = refused.get(limit, 0) + int(sample.value)
    for limit, count in sorted(refused.items()):
        hint = f"if these clients mean well, raise [limits] {limit}; docs/limits.md says how"
        yield good(f"limit {limit}", f"{count} refused since the start", hint)


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
