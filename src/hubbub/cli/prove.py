"""``hubbub prove``: check the promises, here and now."""

import contextlib
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubbub.cli import options


if TYPE_CHECKING:
    from hubbub.prove.report import Report
    from hubbub.prove.run import Progress


MAX_SHOWN = 20
"""Violations that are shown; the report has them all."""


@click.command()
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.1),
    default=1.0,
    show_default=True,
    help="How long clients work and faults happen.",
)
@click.option("--seed", type=int, help="Same seed, same faults; without it, a new one.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for history and report; prove-SEED in this one if not given.",
)
@options.as_json
def prove(minutes: float, seed: int | None, out: Path | None, *, as_json: bool) -> None:
    """Start a private daemon, put clients on all doors, inject faults, check the history.

    Ends with 1 when a promise was broken.
    """
    import asyncio

    from hubbub import __version__
    from hubbub.cli import output
    from hubbub.prove.doors import DOORS
    from hubbub.prove.report import report, save
    from hubbub.prove.run import Work, prove
    from hubbub.prove.schedule import plan

    seed = secrets.randbelow(1_000_000) if seed is None else seed
    folder = Path(f"prove-{seed}") if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    work = Work(
        seed=seed,
        seconds=minutes * 60,
        faults=plan(seed, minutes * 60),
        doors=DOORS,
        folder=folder,
    )
    with _progress() as tell:
        outcome = asyncio.run(prove(work, tell))
    found = report(
        outcome.records, outcome.violations, seed=seed, minutes=minutes, version=__version__
    )
    save(found, outcome.records, folder)
    if as_json:
        output.write_json(found)
    else:
        _show(found, folder)
    if not found.is_proved:
        sys.exit(1)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[["Progress"], None]]:
    """Show one line that changes, on standard error; nothing where that is no terminal."""
    from rich.console import Console
    from rich.status import Status

    def line(now: "Progress") -> str:
        faults = ", ".join(now.faults)
        at = min(now.at, now.seconds)
        return f"{now.phase} {at:.0f}/{now.seconds:.0f} s, {now.records:,} records  {faults}"

    console = Console(stderr=True, highlight=False)
    with Status("starting", console=console) as status:
        yield lambda now: status.update(line(now))


def _show(found: "Report", folder: Path) -> None:
    from hubbub.cli.output import write_table

    click.echo(f"{found.minutes:g} min, seed {found.seed}; report and history in {folder}")
    click.echo(", ".join(f"{count:,} {name}" for name, count in found.counts.items()))
    click.echo("faults: " + ", ".join(f"{n} x {name}" for name, n in found.faults.items()) + "\n")
    write_table(("violation", "found"), found.violations.items())
    click.echo()
    rows = [
        (row.door, row.what, row.count, row.p50_ms, row.p99_ms, row.p999_ms)
        for row in found.latencies
    ]
    write_table(("door", "verb", "count", "p50 ms", "p99 ms", "p99.9 ms"), rows)
    for violation in found.details[:MAX_SHOWN]:
        click.echo(f"{violation.kind}: {violation.what}: {violation.detail}", err=True)
    if len(found.details) > MAX_SHOWN:
        click.echo(f"and {len(found.details) - MAX_SHOWN} more", err=True)
