"""``hubbub doctor``: what is wrong, and what would fix it."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from hubbub.cli import options, output, running
from hubbub.errors import ConfigError


FREE_BYTES = 256 * 1024 * 1024
"""Free disk space below which the doctor worries."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    ok: bool
    detail: str
    fix: str = ""
    """What to do next; empty where nothing is wrong."""


@click.command()
@options.daemon
@options.as_json
def doctor(data_dir: Path | None, *, as_json: bool) -> int:
    """Look for what is wrong and say what would fix it; exit code 1 if there is something."""
    folder = running.data_directory(data_dir)
    findings = list(examine(folder, data_dir))
    if as_json:
        output.write_json(findings)
    else:
        for finding in findings:
            click.echo(f"{'ok ' if finding.ok else 'BAD'}  {finding.what}: {finding.detail}")
            if finding.fix:
                click.echo(f"     next: {finding.fix}")
    return 0 if all(finding.ok for finding in findings) else 1


def examine(folder: Path, given: Path | None) -> Iterator[Finding]:
    """Look at settings, files and the running daemon.

    Args:
        folder: The data directory.
        given: The ``--data-dir`` of the command.
    """
    yield _settings(folder)
    if not folder.exists():
        fix = "hubbub serve" + ("" if given is None else f" --data-dir {folder}")
        yield Finding("data directory", ok=False, detail=f"{folder} is not there yet", fix=fix)
        return
    yield _private(folder, "data directory")
    for name in ("api-token", "host-token", "agent.key"):
        if (folder / name).exists():
            yield _private(folder / name, name)
    yield _space(folder)
    yield from _daemon(given)


def _settings(folder: Path) -> Finding:
    from hubbub.provenance import load

    try:
        load(flags={"data_dir": folder}, environ=os.environ)
    except ConfigError as error:
        fix = "correct that value; docs/settings.md lists them all"
        return Finding("settings", ok=False, detail=str(error), fix=fix)
    return Finding("settings", ok=True, detail="every value can be")


def _private(path: Path, what: str) -> Finding:
    """Others on this machine must not read what opens every door."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        wanted = "700" if path.is_dir() else "600"
        detail = f"{path} can be read by others (mode {mode:o})"
        return Finding(what, ok=False, detail=detail, fix=f"chmod {wanted} {path}")
    return Finding(what, ok=True, detail=f"{path} is yours alone")


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    detail = f"{free // 1024**2} MiB free"
    if free < FREE_BYTES:
        fix = "free some space, or keep less: store.retention_bytes in config.toml"
        return Finding("disk", ok=False, detail=detail, fix=fix)
    return Finding("disk", ok=True, detail=detail)


def _daemon(given: Path | None) -> Iterator[Finding]:
    try:
        daemon = running.find(given)
        status = daemon.call("system.status")
    except running.Unreachable as error:
        text, _, fix = error.message.partition("; ")
        yield Finding("daemon", ok=False, detail=text, fix=fix)
        return
    detail = f"version {status['version']}, pid {daemon.pid}, at {daemon.url}"
    yield Finding("daemon", ok=True, detail=detail)
    reasons = "; ".join(status["reasons"])
    fix = "look for the cause in the daemon's log" if reasons else ""
    yield Finding("store", ok=status["ready"], detail=reasons or "takes writes", fix=fix)
    yield from _listeners(daemon, set(status["listeners"]))


def _listeners(daemon: running.Running, opened: set[str]) -> Iterator[Finding]:
    """A door may have been skipped because its address was taken, or switched off."""
    from hubbub.config import LISTENERS

    for name in LISTENERS:
        if name in opened:
            yield Finding(name, ok=True, detail=daemon.addresses.get(name, "open"))
        else:
            fix = f"if you want it, restart with --listen {name}=127.0.0.1:0"
            yield Finding(name, ok=True, detail="not open", fix=fix)
