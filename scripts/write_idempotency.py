"""Write docs/idempotency.md from the tables of what a repeated request gets.

Run as `python -m scripts.write_idempotency`; a test fails while the page is out of step.
"""

from collections.abc import Mapping
from pathlib import Path

from hubbub.dialects.car.repeats import REPEATS as CAR
from hubbub.dialects.crosslink.repeats import REPEATS as CROSSLINK
from hubbub.dialects.openclaw.repeats import REPEATS as OPENCLAW
from hubbub.dialects.repeats import Repeat
from hubbub.dialects.rpc.repeats import REPEATS as HUBBUB
from hubbub.dialects.x0x.repeats import REPEATS as X0X


PAGE = Path(__file__).parents[1] / "docs" / "idempotency.md"

DOORS: Mapping[str, Mapping[str, Repeat]] = {
    "hubbub": HUBBUB,
    "x0x": X0X,
    "crosslink": CROSSLINK,
    "car": CAR,
    "openclaw": OPENCLAW,
}
"""Door to its table."""

HEAD = """# Retries

Send a request again whenever you do not know what became of it, under the same idempotency key: it
is executed once. This page says, for every verb of every door, where the key goes and what the
repeat is answered.

- A key is a text of 1 to 256 characters that you choose for one request, a UUID for instance. It is
  your own: another caller may use the same text for something else.
- With the key is stored who called, a hash of the verb and its body, and the answer, in the same
  transaction as the effect. So it holds across a crash: there are effect and answer, or neither.
- The same key with another verb or another body is a **conflict**, and nothing happens. The key of
  a chat message or a run is the run's id as well.
- Twins that arrive at the same time are one request, whichever connections they come by.
- A request that was **refused** has left nothing behind, its key neither: correct it and use the
  key again.
- Keys are known for `store.answers_days` (7) days and then purged with their answers. After that
  time a repeat is a new request; the id of a run stays taken.
- A verb without a place for a key changes nothing that a repeat could do twice.

| door | a conflict looks like this |
|---|---|
| hubbub | an error with `data.code` `idempotency_conflict` |
| x0x, REST | 409 `{"ok":false,"error":…}`; `POST /direct/send`: the error `idempotency_conflict` |
| x0x, socket | the error `publish failed` or `send failed` |
| crosslink | 409 `{"error":"conflict","detail":…}` |
| CAR | error -32603, the text names the key |
| OpenClaw | `ok:false` with `INVALID_REQUEST`, the text names the key |

This page is made from the code by `python -m scripts.write_idempotency`.
"""


COLUMNS = "| verb | where the key goes | a repeat is answered |\n|---|---|---|\n"


def page() -> str:
    """Make the whole page."""
    parts = [HEAD]
    for door, table in DOORS.items():
        parts += [f"\n## {door}\n\n", COLUMNS]
        parts += [
            f"| `{verb}` | {repeat.key or 'none'} | {repeat.answer} |\n"
            for verb, repeat in sorted(table.items(), key=_keyed_first)
        ]
    return "".join(parts)


def _keyed_first(row: tuple[str, Repeat]) -> tuple[bool, str, str]:
    verb, repeat = row
    return not repeat.key, repeat.answer, verb


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
