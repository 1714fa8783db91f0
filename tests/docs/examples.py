"""Examples of the documents: found, and carried out as a reader would type them.

A comment right above a block of ``sh`` or ``python`` says what a test does with it:

| comment | then |
|---|---|
| ``runs`` | it runs to its end, with exit code 0 |
| ``runs, prints: TEXT`` | the same, and its output has this text |
| ``runs, meanwhile: TEXT`` | the same, and what ``stays`` prints this text after it |
| ``stays, prints: TEXT`` | it is started, prints this text, and goes on in a window of its own |
| ``daemon: COMMAND`` | the daemon of this command is started in its place, on free ports |
| ``file: NAME`` | it is written into a file |
| ``not run: REASON`` | nothing |

Blocks of a page share a folder and their variables and functions, as in one shell.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.clients.waiting import PATIENCE_S, POLL_S
from tests.daemon import DOORS, Daemon


BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*) -->\n)?```(?P<language>sh|python)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
MARKS = re.compile(
    r"runs|runs, (?:prints|meanwhile): .+|stays, prints: .+|daemon: hubbub serve.*|file: \S+"
    r"|not run: .+"
)
USUAL = dict(zip(DOORS, (7070, 12700, 3100, 9100, 18789), strict=True))
"""Where readers find the doors; a test's daemon has them elsewhere."""
END_S = 10.0


class Example(msgspec.Struct, frozen=True):
    """One block of a page."""

    where: str
    """File and line."""
    mark: str
    language: str
    text: str

    @property
    def act(self) -> str:
        """What to do with it."""
        return re.split("[,:]", self.mark, maxsplit=1)[0]

    def said(self, word: str) -> str:
        """Give what stands behind a word of the mark; empty: the word is not there."""
        return self.mark.partition(f"{word}: ")[2]


def examples(page: Path) -> Iterator[Example]:
    """Give the blocks of a page."""
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Example(f"{page.name}:{line}", found["mark"] or "", found["language"], found["text"])


class Reader:
    """Somebody who types what a page says."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = home / "reader"
        self._state = home / "variables"
        self._daemon: Daemon | None = None
        self._staying: list[tuple[subprocess.Popen[bytes], Path]] = []
        self._variables: dict[str, str] = {}
        bin_ = self._folder / ".venv" / "bin"
        bin_.mkdir(parents=True)
        for name, words in (("hubbub", "-m hubbub"), ("python", "")):
            program = bin_ / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
            program.chmod(0o755)

    def follow(self, example: Example) -> None:
        """Do what an example says.

        Raises:
            AssertionError: It does something else than its mark says.
        """
        if example.act == "daemon":
            self.serve(example.said("daemon").split()[2:])
        elif example.act == "file":
            (self._folder / example.said("file")).write_text(self._here(example.text))
        elif example.act == "stays":
            self._stay(example)
        elif example.act == "runs":
            self._run(example)

    def serve(self, args: list[str]) -> None:
        """Start a daemon; the one before is ended, if the page has not done it."""
        if self._daemon is None:
            self._daemon = Daemon(self._home, args=args)
        elif self._daemon.process is not None:
            if self._daemon.args:  # a demo, which keeps nothing
                self._daemon.end()
            self._daemon.process.wait(END_S)
            self._daemon.args = args
        self._daemon.start_blocking()

    def close(self) -> None:
        """End everything."""
        for process, _ in self._staying:
            process.kill()
            process.wait()
        if self._daemon is not None:
            if self._daemon.process is not None:
                self._daemon.process.poll()
            self._daemon.end()
            assert not self._daemon.tracebacks(), self._daemon.tracebacks()

    def _run(self, example: Example) -> None:
        save = f"\nenv -0 > {self._state}"
        done = subprocess.run(
            ["/bin/bash", "-c", f"set -aeuo pipefail\n{self._here(example.text)}{save}"],
            cwd=self._folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE_S * 2,
            check=False,
        )
        shown = done.stdout.decode()
        assert done.returncode == 0, f"{example.where} ended with {done.returncode}:\n{shown}"
        assert example.said("prints") in shown, f"{example.where} printed:\n{shown}"
        pairs = self._state.read_text().rstrip("\0").split("\0")
        self._variables = dict(pair.split("=", 1) for pair in pairs)
        if wanted := example.said("meanwhile"):
            self._until(example, wanted)

    def _stay(self, example: Example) -> None:
        output = self._home / f"staying-{len(self._staying)}"
        with output.open("wb") as file:
            process = subprocess.Popen(
                ["/bin/bash", "-c", f"exec {self._here(example.text)}"],
                cwd=self._folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self._staying.append((process, output))
        self._until(example, example.said("prints"))

    def _until(self, example: Example, wanted: str) -> None:
        """Wait until the newest program that stays has printed something new."""
        process, output = self._staying[-1]
        deadline = time.monotonic() + PATIENCE_S
        while wanted not in (shown := output.read_text()):
            assert process.poll() is None, f"{example.where} ended:\n{shown}"
            assert time.monotonic() < deadline, f"{example.where}: no {wanted!r} in\n{shown}"
            time.sleep(POLL_S)

    def _here(self, text: str) -> str:
        """Put the addresses of the test's daemon in the place of the usual ones."""
        assert self._daemon is not None
        for door, port in USUAL.items():
            host, here = self._daemon.address(door)
            text = text.replace(f"127.0.0.1:{port}", f"{host}:{here}")
        return text

    def _environment(self) -> dict[str, str]:
        assert self._daemon is not None
        bin_ = self._folder / ".venv" / "bin"
        return {
            **self._daemon.environment(),
            **self._variables,
            "HUBBUB_DATA_DIR": str(self._daemon.data_dir),
            "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
        }


@contextmanager
def reading(home: Path) -> Iterator[Reader]:
    """Give a reader, and end at last what was started."""
    reader = Reader(home)
    try:
        yield reader
    finally:
        reader.close()
