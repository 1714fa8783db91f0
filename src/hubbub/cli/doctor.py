"""``hubbub doctor``: what is wrong, and what would fix it."""

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubbub.cli import options, output, running


if TYPE_CHECKING:
    from hubbub.config import Settings
    from hubbub.doctor import Finding


@click.command()
@options.config
@options.daemon
@options.as_json
def doctor(data_dir: Path | None, *, file: Path | None, as_json: bool) -> int:
    """Look for what is wrong and say what would fix it; exit code 1 if there is something."""
    findings = list(_examine(data_dir, file))
    if as_json:
        output.write_json(findings)
    else:
        for finding in findings:
            click.echo(f"{'ok ' if finding.ok else 'BAD'}  {finding.what}: {finding.detail}")
            if finding.fix:
                click.echo(f"     next: {finding.fix}")
    return 0 if all(finding.ok for finding in findings) else 1


def _examine(given: Path | None, file: Path | None) -> "Iterator[Finding]":
    """Look at settings, files and the running daemon.

    Args:
        given: The ``--data-dir`` of the command.
        file: Its ``--config``.
    """
    from hubbub.core.values import wall_clock
    from hubbub.doctor.addresses import look_at_addresses
    from hubbub.doctor.daemon import environment
    from hubbub.doctor.files import look_at_files
    from hubbub.doctor.finding import bad
    from hubbub.doctor.settings import look_at_agents, look_at_certificates
    from hubbub.doctor.store import look_at_store

    folder = running.data_directory(given)
    settings, finding = _settings(folder, file)
    yield finding
    pid = None
    if folder.exists():
        yield from look_at_files(folder)
        yield from look_at_store(folder, wall_clock)
        pid, findings = _daemon(folder, given, settings)
        yield from findings
    else:
        fix = "hubbub serve" + ("" if given is None else f" --data-dir {folder}")
        yield bad("data directory", f"{folder} is not there yet", fix)
    if settings is not None:
        if pid is None:
            yield from look_at_addresses(settings)
        yield from look_at_agents(settings, environment(pid))
        yield from look_at_certificates(settings, folder, dt.datetime.now(dt.UTC))


def _settings(folder: Path, file: Path | None) -> "tuple[Settings | None, Finding]":
    from hubbub.doctor.finding import bad, good
    from hubbub.errors import ConfigError
    from hubbub.provenance import load

    try:
        loaded = load(flags={"data_dir": folder}, environ=os.environ, config=file)
    except ConfigError as error:
        fix = "correct that value; docs/settings.md lists them all"
        return None, bad("settings", str(error), fix)
    return loaded.settings, good("settings", "every value can be")


def _daemon(
    folder: Path, given: Path | None, settings: "Settings | None"
) -> "tuple[int | None, list[Finding]]":
    """Find the daemon and ask it; gives its pid, if it answers."""
    from hubbub.doctor.daemon import look_at_daemon
    from hubbub.doctor.finding import bad, good

    try:
        daemon = running.find(given)
        health = daemon.call("system.health")
    except running.Refused as error:
        fix = f"restart it: {folder / 'api-token'} is not the token that it started with"
        return None, [bad("daemon", f"it answers: {error.message}", fix)]
    except running.Unreachable as error:
        text, _, fix = error.message.partition("; ")
        step = fix if "`hubbub" in fix else f"restart it; it writes the files in {folder} anew"
        return None, [bad("daemon", text, step)]
    detail = f"version {health['version']}, pid {daemon.pid}, at {daemon.url}"
    found = look_at_daemon(health, daemon.pid, settings)
    return daemon.pid, [good("daemon", detail), *found]
