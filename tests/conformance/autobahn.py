"""Run the Autobahn suite against every listener and write down what it finds.

`python -m tests.conformance.autobahn WSTEST`, where `WSTEST` is the suite's program; it needs
Python 2.7. Writes `autobahn.json` beside this file and `docs/conformance.md`; ends with code 1
if a case failed. The listeners are real, the sessions behind them echo (`echo.py`).
"""

import asyncio
import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import uvloop

from tests.conformance.echo import PATHS, EchoDaemon, settings
from tests.conformance.page import PAGE, RESULTS, order, page


SUITE = "0.8.2"
GRADES = {"OK": "ok", "NON-STRICT": "non-strict", "INFORMATIONAL": "informational"}
UNIMPLEMENTED = "unimplemented"


def grade(case: dict[str, Any]) -> str:
    """Give our name of a case's outcome; it counts as failed where its close failed."""
    behaviour, close = case["behavior"], case["behaviorClose"]
    if close not in ("OK", "INFORMATIONAL"):
        return "failed"
    return UNIMPLEMENTED if behaviour == "UNIMPLEMENTED" else GRADES.get(behaviour, "failed")


def summary(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """List the cases of each grade, by listener."""
    listeners = {}
    for name in PATHS:
        cases: dict[str, list[str]] = defaultdict(list)
        for number, case in found[name].items():
            cases[grade(case)].append(number)
        listeners[name] = {each: sorted(cases[each], key=order) for each in sorted(cases)}
    return {"suite": SUITE, "listeners": listeners}


async def run(wstest: str) -> dict[str, Any]:
    """Serve, let the suite call, and read its report."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        daemon = EchoDaemon(settings(Path(folder) / "data"))
        await daemon.open()
        try:
            servers = [
                {"agent": name, "url": f"ws://{daemon.listeners[name].address}{path}"}
                for name, path in PATHS.items()
            ]
            spec: dict[str, Any] = {"outdir": folder, "servers": servers, "cases": ["*"]}
            spec |= {"exclude-cases": [], "exclude-agent-cases": {}}
            file = Path(folder) / "spec.json"
            file.write_text(json.dumps(spec), encoding="utf-8")
            command = [wstest, "-m", "fuzzingclient", "-s", str(file)]
            process = await asyncio.create_subprocess_exec(*command)
            if await process.wait():
                sys.exit(f"{wstest} ended with {process.returncode}")
        finally:
            await daemon.close()
        report = (Path(folder) / "index.json").read_text(encoding="utf-8")
        return summary(json.loads(report))


def main() -> None:
    """Run, write, judge."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        results = runner.run(run(sys.argv[1]))
    RESULTS.write_text(json.dumps(results, separators=(",", ":")) + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")
    failed = {name: cases.get("failed", []) for name, cases in results["listeners"].items()}
    if any(failed.values()):
        sys.exit(f"failed: {failed}")


if __name__ == "__main__":
    main()
