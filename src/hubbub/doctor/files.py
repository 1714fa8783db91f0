"""The data directory: whose it is, who can read it, what a killed daemon or restore has left."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hubbub.data_directory import RESTORING, SECRETS, DataDirectory
from hubbub.doctor.finding import Finding, bad, good


FREE_BYTES = 256 * 1024 * 1024
"""Free disk space below which the doctor worries."""


def look_at_files(folder: Path) -> Iterator[Finding]:
    """Look at a data directory that is there."""
    yield _private(folder, "data directory")
    for name in SECRETS:
        if (folder / name).exists():
            yield _private(folder / name, name)
    yield _space(folder)
    yield from _left_behind(folder)


def _private(path: Path, what: str) -> Finding:
    """Others on this machine must not read what opens every door."""
    status = path.stat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid != os.getuid():
        detail = f"{path} belongs to another user (uid {status.st_uid})"
        return bad(what, detail, f"sudo chown {os.getuid()} {path}")
    if mode & 0o077:
        wanted = "700" if path.is_dir() else "600"
        detail = f"{path} can be read by others (mode {mode:o})"
        return bad(what, detail, f"chmod {wanted} {path}")
    return good(what, f"{path} is yours alone")


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    detail = f"{free // 1024**2} MiB free"
    if free < FREE_BYTES:
        fix = "free some space, or keep less: store.retention_bytes in config.toml"
        return bad("disk", detail, fix)
    return good("disk", detail)


def _left_behind(folder: Path) -> Iterator[Finding]:
    mark = folder / RESTORING
    if mark.exists():
        file = mark.read_text().strip()
        detail = f"bringing back {file} was interrupted; the daemon will not start"
        yield bad("restore", detail, f"hubbub restore --data-dir {folder} {file}")
        return
    listeners = folder / "listeners.json"
    if listeners.exists() and (folder / "lock").exists() and not DataDirectory(folder).is_taken():
        detail = f"{listeners} was left by a daemon that was killed{_pid_of(listeners)}"
        yield bad("listeners.json", detail, f"hubbub serve --data-dir {folder}, or rm {listeners}")


def _pid_of(listeners: Path) -> str:
    try:
        return f" (pid {msgspec.json.decode(listeners.read_bytes())['pid']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
