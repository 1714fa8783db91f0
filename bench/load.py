"""The native tools: compile them when needed, run the load generator, read its answer."""

import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from bench.measure import ProbeFailed, Skipped


SOURCES = Path(__file__).parent / "native"

SLACK_S = 30.0
"""How much longer than its own time limit the load generator may take to set up and end."""


class Tools:
    """The compiled tools in one build folder."""

    def __init__(self, build: Path) -> None:
        self.build = build

    def path(self, name: str) -> Path:
        """Return the program of that name, compiled from its source where it is not current.

        Raises:
            Skipped: This system is not Linux, or has no C compiler.
            ProbeFailed: The source does not compile.
        """
        if platform.system() != "Linux":
            reason = f"{name} needs epoll and /proc, so Linux"
            raise Skipped(reason)
        source, program = SOURCES / f"{name}.c", self.build / name
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            self._compile(source, program)
        return program

    def _compile(self, source: Path, program: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            reason = "no C compiler `cc` on the PATH"
            raise Skipped(reason)
        self.build.mkdir(parents=True, exist_ok=True)
        command = [compiler, "-O2", "-Wall", "-o", str(program), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            failure = f"{source.name} does not compile: {done.stderr.strip()}"
            raise ProbeFailed(failure)

    def hubload(
        self, mode: str, *arguments: str, timeout_s: float = 60.0, ids_checked: bool = True
    ) -> dict[str, Any]:
        """Run the load generator and return its line of JSON.

        Args:
            mode: `fanout`, `rpc`, `http` or `idle`.
            arguments: Its options, as words.
            timeout_s: How long the load itself may take.
            ids_checked: Whether answers carry the request's number. Where they do not, a run
                counts as good when as many answers came as requests were made.

        Raises:
            ProbeFailed: Something expected did not arrive, or the server refused.
        """
        command = [str(self.path("hubload")), mode, *arguments, "--timeout", str(timeout_s)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=timeout_s + SLACK_S
            )
        except subprocess.TimeoutExpired:
            failure = f"hubload {mode} did not end within {timeout_s + SLACK_S:g} s"
            raise ProbeFailed(failure) from None
        result = _parsed(done.stdout)
        if done.returncode == 0 or (done.returncode == 1 and not ids_checked and _complete(result)):
            return result
        what = _shortfall(result) if result else done.stderr.strip()[-300:]
        failure = f"hubload {mode} ended with {done.returncode}: {what}"
        raise ProbeFailed(failure)


def _parsed(line: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _complete(result: dict[str, Any]) -> bool:
    replies, requests = result.get("replies", 0), result.get("requests", 1)
    return bool(replies >= requests and not result.get("bad_status"))


def _shortfall(result: dict[str, Any]) -> str:
    """Name what did not arrive, from the generator's own counts."""
    words = (
        "delivered", "expected", "seq_bad", "replies", "requests", "bad_status", "closed",
    )  # fmt: skip
    return ", ".join(f"{word} {result[word]}" for word in words if word in result)
