"""How results are shown: a table for people, JSON for everything else."""

import datetime as dt
import os
import platform
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from bench.measure import Outcome
from bench.servers import ROOT


LIBRARIES = ("aiohttp", "uvloop", "msgspec")
PLAIN_WIDTH = 120
BUSY = 0.5
"""Load average from which the figures of a small machine move by more than they should."""
STYLES = {"pass": "green", "FAIL": "bold red", "error": "bold red", "skipped": "yellow"}


def table(outcomes: Sequence[Outcome]) -> Table:
    """Lay the outcomes out, one line per candidate, grouped by comparison."""
    title = "hubbub against its bounds (medians; less is better)"
    shown = Table(title=title, pad_edge=False)
    for name, justify in (
        ("load", "left"), ("door", "left"), ("ours", "right"), ("bound", "right"),
        ("ratio", "right"), ("budget", "right"), ("verdict", "left"), ("unit", "left"),
    ):  # fmt: skip
        shown.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    previous = ""
    for outcome in outcomes:
        if previous and outcome.name != previous:
            shown.add_section()
        style = STYLES.get(outcome.verdict, "")
        shown.add_row(
            outcome.name if outcome.name != previous else "",
            outcome.door,
            _figure(outcome.our_median),
            _figure(outcome.bound_median),
            _figure(outcome.ratio, "x"),
            _figure(outcome.budget, "x"),
            f"[{style}]{outcome.verdict}[/]" if style else outcome.verdict,
            outcome.unit,
        )
        previous = outcome.name
    return shown


def troubles(outcomes: Sequence[Outcome]) -> list[str]:
    """Say in one line each why a figure is missing; the same reason for many is said once."""
    reasons: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.trouble:
            reasons.setdefault(outcome.trouble, []).append(f"{outcome.name} ({outcome.door})")
    return [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {reason}"
        for reason, names in reasons.items()
    ]


def document(
    outcomes: Sequence[Outcome],
    *,
    rounds: int,
    command: Sequence[str],
    machine: dict[str, Any],
) -> dict[str, Any]:
    """Gather everything that was measured, and where, for the JSON file."""
    return {
        "at": dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds"),
        "command": ["python", "-m", "bench", *command],
        "commit": _commit(),
        "machine": machine,
        "rounds": rounds,
        "results": [
            {
                "name": outcome.name,
                "door": outcome.door,
                "unit": outcome.unit,
                "bound": outcome.bound_name,
                "ours": outcome.our_median,
                "bound_value": outcome.bound_median,
                "ratio": outcome.ratio,
                "budget": outcome.budget,
                "verdict": outcome.verdict,
                "trouble": outcome.trouble,
                "our_readings": outcome.ours,
                "bound_readings": outcome.bound,
            }
            for outcome in outcomes
        ],
    }


def write(found: dict[str, Any], folder: Path) -> Path:
    """Write the document under the time of its making and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = str(found["at"]).replace(":", "").partition("+")[0]
    file = folder / f"{stamp}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return file


def show(outcomes: Sequence[Outcome], found: dict[str, Any], console: Console) -> None:
    """Print the table, what is missing from it, and where it was measured."""
    console.print(table(outcomes))
    for line in troubles(outcomes):
        console.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)
    machine = found["machine"]
    console.print(
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}; Python"
        f" {machine['python']}; commit {found['commit']}; {found['rounds']} rounds",
        markup=False,
    )
    if machine["load_average_before"] > BUSY:
        console.print(
            f"something else was running (load {machine['load_average_before']}):"
            " judge by a run on an idle machine",
            style="yellow",
        )


def printer() -> Console:
    """Return a console for the table, wide enough for it where there is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_WIDTH)


def _figure(value: float | None, suffix: str = "") -> str:
    if value is None:
        return "-"
    return f"{value:.2f}{suffix}" if suffix else f"{value:.3g}"


def machine() -> dict[str, Any]:
    """Describe this machine, and how busy it is before we make it so."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_average_before": round(os.getloadavg()[0], 2),
        **{name: metadata.version(name) for name in LIBRARIES},
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    """Return the commit that was measured, `-dirty` where files differ from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
