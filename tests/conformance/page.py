"""Make docs/conformance.md of what the Autobahn suite and our own cases found.

Run as `python -m tests.conformance.page` after a change of the cases; a test fails while the page
is out of step.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.conformance.cases import CLASSES, NON_STRICT
from tests.conformance.talk import LARGEST_BYTES


PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
RESULTS = Path(__file__).with_name("autobahn.json")

TITLES = {
    1: "framing",
    2: "pings and pongs",
    3: "reserved bits",
    4: "opcodes",
    5: "fragmentation",
    6: "UTF-8",
    7: "close handling",
    9: "limits and performance",
    10: "automatic fragmentation",
    12: "compression, payloads",
    13: "compression, parameters",
}
"""The suite's classes; it has no 8 and no 11."""

HEAD = """# WebSocket conformance

All five listeners keep to RFC 6455. Two things say so:

- **The Autobahn suite itself**, version {suite}. It tests servers that echo, and needs Python 2.7,
  so it is not part of `make test`. `make conformance WSTEST=PROGRAM` runs it against the five
  listeners as they are, each with its own settings, with sessions behind them that echo (two
  limits are raised to 16 MiB for the suite's largest messages), and writes this page. It ends
  with an error if a case fails.
- **Our own cases**, in `make test`: {ours} cases with a raw socket against each listener and its
  real protocol, numbered by the suite's classes. No protocol here is an echo, so each listener
  has a message that must be answered (a call whose refusal carries its id, a subscription that is
  confirmed or takes effect), to show that a message arrived whole.

| class | what | {columns} | our cases |
|---|---|{rules}|---:|
"""

TAIL = """
*ok*: as the suite wants it. *non-strict*: allowed, though not the strictest (cases
{non_strict}): a text that is not UTF-8 is refused with 1007 at the end of its
message, not at its first wrong byte. *informational*: the suite has no opinion. *unimplemented*:
compression (permessage-deflate) is not negotiated; an offer is passed over, and a compressed frame
closes with 1002. **Failed: {failed}.**

What a peer sees beyond the suite:

- Answers to what came before a bad frame leave before the close frame.
- A close frame is answered with its own code and reason. Codes that no frame may carry (0 to 999,
  1004 to 1006, 1015 to 2999, 5000 and up) are answered with 1002.
- After the close frame of a failed connection the daemon reads on and throws away what comes, for
  up to 5 seconds, so that a peer in the middle of a large message still learns why.
- The largest message in bytes: {largest}.
  One byte more closes with 1009, as soon as a header says so.

To have the suite's program: `python2.7 -m virtualenv DIR`, then
`DIR/bin/pip install autobahntestsuite=={suite}`; it is `DIR/bin/wstest`. The results of its last
run are in `tests/conformance/autobahn.json`.
"""


def order(number: str) -> list[int]:
    """Sort case numbers as people do."""
    return [int(part) for part in number.split(".")]


def page(results: dict[str, Any]) -> str:
    """Make the whole page."""
    listeners = results["listeners"]
    ours = Counter(order(case.id)[0] for cases in CLASSES.values() for case in cases)
    head = HEAD.format(
        suite=results["suite"],
        ours=sum(ours.values()),
        columns=" | ".join(listeners),
        rules="|".join(["---"] * len(listeners)),
    )
    rows = []
    for number, title in TITLES.items():
        cells = [_cell(cases, number) for cases in listeners.values()]
        rows.append(f"| {number} | {title} | {' | '.join(cells)} | {ours[number]} |\n")
    sizes = ", ".join(f"{name} {size:,}" for name, size in LARGEST_BYTES.items())
    tail = TAIL.format(
        suite=results["suite"],
        non_strict=", ".join(sorted(NON_STRICT, key=order)),
        failed=sum(len(cases.get("failed", [])) for cases in listeners.values()),
        largest=sizes,
    )
    return head + "".join(rows) + tail


def _cell(cases: dict[str, list[str]], number: int) -> str:
    counts = {
        grade: sum(order(case)[0] == number for case in numbers) for grade, numbers in cases.items()
    }
    return ", ".join(f"{count} {grade}" for grade, count in counts.items() if count)


def written() -> str:
    """Make the page of the last run's results."""
    return page(json.loads(RESULTS.read_text(encoding="utf-8")))


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
