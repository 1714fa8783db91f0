"""A `command` runner's program that does what a test writes into a file, line by line.

Usage: `python played_command.py DIRECTORY`. It reads its whole prompt, announces itself by an
atomic `<pid>.turn` file and then follows `<pid>.orders`: one JSON array per line,
`["say", TEXT]`, `["raw", TEXT]`, `["child"]`, `["deaf"]` or `["exit", CODE]`.
Only the standard library, because the daemon starts it in an environment of its own.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


POLL_S = 0.01
PARENT = os.getppid()


def main() -> int:
    """Announce the turn, then follow orders until told to exit or orphaned."""
    folder = Path(sys.argv[1])
    prompt = sys.stdin.buffer.read().decode()
    announced = folder / f"{os.getpid()}.tmp"
    announced.write_text(
        json.dumps({"pid": os.getpid(), "prompt": prompt, "env": dict(os.environ)})
    )
    announced.rename(folder / f"{os.getpid()}.turn")
    orders = folder / f"{os.getpid()}.orders"
    done = 0
    while os.getppid() == PARENT:
        lines = orders.read_text().split("\n")[:-1] if orders.exists() else []
        for line in lines[done:]:
            done += 1
            code = obey(json.loads(line), folder)
            if code is not None:
                return code
        time.sleep(POLL_S)
    return 1


def obey(order: list[str], folder: Path) -> int | None:
    """Carry out one order; a number means to exit with it."""
    if order[0] == "exit":
        return int(order[1])
    if order[0] in {"say", "raw"}:
        sys.stdout.write(order[1] + ("\n" if order[0] == "say" else ""))
        sys.stdout.flush()
    elif order[0] == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (folder / f"{os.getpid()}.deaf").touch()
    elif order[0] == "child":
        # A grandchild that outlives its parent unless the whole process group is ended; it
        # gives up by itself so that a failing test leaves nothing behind for long.
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
        (folder / f"{os.getpid()}.child").write_text(str(child.pid))
    return None


if __name__ == "__main__":
    sys.exit(main())
