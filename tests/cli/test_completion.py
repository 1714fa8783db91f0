"""Completion, as the shell does it: with the printed script and the program itself."""

import asyncio
import os
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import hubbub as run
from tests.daemon import Daemon


SHELLS = {"bash": "complete ", "zsh": "#compdef hubbub", "fish": "complete "}
"""What each script has, by its shell."""


@pytest.fixture
def nobody(tmp_path: Path) -> Daemon:
    """Give the place of a daemon that was never started."""
    return Daemon(tmp_path)


@pytest.mark.parametrize("shell", SHELLS)
async def test_script_is_printed_for_each_shell(nobody: Daemon, shell: str) -> None:
    """It can be evaluated as it is, and knows the program by its name."""
    done = await run(nobody, "completion", shell)

    assert (done.code, done.err) == (0, "")
    assert SHELLS[shell] in done.out
    assert "_HUBBUB_COMPLETE" in done.out


async def test_unknown_shell_is_wrong_use(nobody: Daemon) -> None:
    """The known ones are named."""
    done = await run(nobody, "completion", "cmd.exe")

    assert done.code == 2
    assert "'bash', 'zsh', 'fish'" in done.err


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("ba", {"backup"}),
        ("config show store.read", {"store.readers"}),
        ("config show --orig", {"--origin"}),
        ("env c", {"car", "crosslink"}),
        ("import ", {"clawdbot", "events"}),
        ("token ", {"new", "list", "revoke"}),
        ("completion f", {"fish"}),
        ("serve --only c", {"car", "crosslink"}),
        ("serve --listen op", {"openclaw="}),
    ],
)
async def test_bash_completes(nobody: Daemon, tmp_path: Path, words: str, wanted: set[str]) -> None:
    """A press of the tab key after these words offers commands, options and names."""
    program = tmp_path / "bin" / "hubbub"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m hubbub "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    line = f"hubbub {words}".split(" ")
    script = f"""
        eval "$(hubbub completion bash)"
        COMP_WORDS=({" ".join(map(shlex.quote, line))})
        COMP_CWORD={len(line) - 1}
        _hubbub_completion hubbub {shlex.quote(line[-1])} hubbub
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = nobody.environment()
    environment["PATH"] = os.pathsep.join((str(program.parent), environment["PATH"]))

    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "--norc", "-c", script],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.split()) == wanted
