"""Drives the `car_runtime` package: one JSON line in, one call; one JSON line out, its outcome.

A line is `[METHOD, PARAMS]`, where METHOD is one of the runtime object's, e.g. `runs_start`. The
answer is `{"result": …}`, or `{"error": {"type", "code", "message"}}` for what the call raised.
"""

import importlib
import json
import sys
from typing import Any


def main() -> None:
    """Serve calls until standard input ends, then leave as a script does: without goodbye."""
    runtime = importlib.import_module("car_runtime").CarRuntime()
    for line in sys.stdin:
        method, params = json.loads(line)
        sys.stdout.write(json.dumps(outcome(runtime, method, params)) + "\n")
        sys.stdout.flush()


def outcome(runtime: Any, method: str, params: object) -> dict[str, Any]:
    """Make one call of the package and describe what came of it."""
    try:
        return {"result": json.loads(getattr(runtime, method)(json.dumps(params)))}
    except Exception as error:  # noqa: BLE001 whatever the package raises is the answer
        described = {
            "type": type(error).__name__,
            "code": getattr(error, "code", None),
            "message": getattr(error, "message", str(error)),
        }
        return {"error": described}


if __name__ == "__main__":
    main()
