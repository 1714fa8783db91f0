"""`python -m bench`: measure hubbub against its bounds and say which budgets hold."""

import signal
import sys

import click
import msgspec
from rich.console import Console

from bench import fanout, footprint, report, requests, resume
from bench.measure import Comparison, Outcome, run
from bench.scene import QUICK, Scene, Sizes
from bench.servers import ROOT


BUILD = ROOT / "build" / "bench"
RESULTS = ROOT / "bench" / "results"
SECTIONS = (fanout, requests, resume, footprint)

DEFAULT_ROUNDS = 3


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Small loads, for a look; judge by a full run.")
@click.option(
    "--only", multiple=True, metavar="PART", help="Only loads whose name holds PART; repeatable."
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=None,
    help=f"How often each is measured (default {DEFAULT_ROUNDS}, with --quick 1).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document, not the table.")
@click.option("--list", "listing", is_flag=True, help="Name the loads and measure nothing.")
def main(
    *, quick: bool, only: tuple[str, ...], rounds: int | None, as_json: bool, listing: bool
) -> None:
    """Measure hubbub against its bounds, interleaved, and compare medians.

    Exit code 0: every budget holds. 1: one does not, or a measurement failed. 2: wrong usage.
    """
    # As after Ctrl-C, the servers are ended and their data removed.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    console = Console(stderr=True)
    machine = report.machine()
    rounds = rounds or (1 if quick else DEFAULT_ROUNDS)
    with Scene(BUILD, QUICK if quick else Sizes()) as scene:
        wanted = [
            comparison
            for section in SECTIONS
            for comparison in section.comparisons(scene)
            if comparison.matches(only)
        ]
        if not wanted:
            message = f"no load has {' or '.join(only)} in its name; see --list"
            raise click.UsageError(message)
        if listing:
            for comparison in wanted:
                click.echo(comparison.name)
            return
        outcomes = _measure_all(wanted, rounds, console)
    found = report.document(outcomes, rounds=rounds, command=sys.argv[1:], machine=machine)
    file = report.write(found, RESULTS)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=1))
    else:
        report.show(outcomes, found, report.printer())
    console.print(f"written to {file.relative_to(ROOT)}", markup=False)
    sys.exit(0 if all(outcome.is_good for outcome in outcomes) else 1)


def _measure_all(wanted: list[Comparison], rounds: int, console: Console) -> list[Outcome]:
    """Measure one comparison after the other, showing which."""
    outcomes: list[Outcome] = []
    with console.status("starting") as status:
        for number, comparison in enumerate(wanted, start=1):

            def progress(what: str, at: str = f"[{number}/{len(wanted)}]") -> None:
                status.update(f"{at} {what}".replace("[", r"\["))

            for outcome in run(comparison, rounds=rounds, progress=progress):
                outcomes.append(outcome)
                console.print(_line(outcome), markup=False, highlight=False, soft_wrap=True)
    return outcomes


def _line(outcome: Outcome) -> str:
    """Say what came of one candidate, as soon as it is known."""
    figures = "" if outcome.ratio is None else f" {outcome.ratio:.2f}x"
    said = outcome.trouble if outcome.was_skipped else f"{outcome.verdict} {outcome.trouble}"
    return f"{outcome.name} {outcome.door}:{figures} {said}".rstrip()


if __name__ == "__main__":
    main()
