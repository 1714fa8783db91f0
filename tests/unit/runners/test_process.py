"""The command runner, with real processes."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import uvloop

from hubbub.core.chat.agents import AgentSettings
from hubbub.core.ports import RunnerOutput
from hubbub.errors import RunnerFailed
from hubbub.runners.group import Group
from hubbub.runners.process import CommandRunner
from tests.clients.command_agent import is_alive
from tests.clients.waiting import eventually
from tests.unit.runners.turns import collect, text_of, turn


ENVIRON = {"PATH": os.environ["PATH"], "HUBBUB_SECRET": "x", "KEY": "kept"}


def runner(code: str, **settings: object) -> CommandRunner:
    """Make a runner of a Python program."""
    command = (sys.executable, "-u", "-c", code)
    return CommandRunner(
        AgentSettings(runner="command", command=command, **settings),  # type: ignore[arg-type]
        ENVIRON,
    )


async def gone(pid: int) -> None:
    """Wait until a process has ended."""

    async def is_gone() -> bool:
        return not is_alive(pid)

    await eventually(is_gone, what=f"the end of process {pid}")


async def first(outputs: AsyncIterator[RunnerOutput]) -> str:
    """Give the first text."""
    async with asyncio.timeout(20):
        return (await anext(outputs)).text


async def test_command_reads_the_message_and_answers() -> None:
    """The message is standard input, what is printed is the answer."""
    outputs = await collect(runner("print(input()[::-1])"), turn("hello"))
    assert text_of(outputs) == "olleh\n"


async def test_command_can_read_the_whole_turn() -> None:
    """With input = json it gets session, history, thinking level and system prompt."""
    code = "import sys, json; t = json.load(sys.stdin); print(json.dumps(t, sort_keys=True))"
    outputs = await collect(
        runner(code, input="json", system_prompt="be kind"), turn("hi", thinking="low")
    )
    assert json.loads(text_of(outputs)) == {
        "run_id": "r1",
        "agent": "main",
        "session_key": "agent:main:main",
        "message": "hi",
        "thinking": "low",
        "system_prompt": "be kind",
    }


async def test_command_knows_its_turn_and_not_our_settings(tmp_path: Path) -> None:
    """Variables name the run; those of the daemon itself are kept back; the folder is ours."""
    code = "import os, json; print(json.dumps([dict(os.environ), os.getcwd()]))"
    outputs = await collect(runner(code, cwd=str(tmp_path)), turn())
    environ, folder = json.loads(text_of(outputs))
    assert (environ["HUBBUB_RUN_ID"], environ["HUBBUB_SESSION_KEY"]) == ("r1", "agent:main:main")
    assert (environ["KEY"], "HUBBUB_SECRET" in environ) == ("kept", False)
    assert folder.endswith(tmp_path.name)


async def test_command_that_does_not_read_is_fine() -> None:
    """A large message to a program that ignores it does no harm."""
    outputs = await collect(runner("print('ok')"), turn("x" * 1_000_000))
    assert text_of(outputs) == "ok\n"


async def test_large_output_comes_whole() -> None:
    """More than any pipe holds arrives to the last byte."""
    outputs = await collect(runner("print('x' * 3_000_000)"), turn())
    assert len(text_of(outputs)) == 3_000_001


async def test_command_that_prints_faster_than_it_is_read_is_held_up() -> None:
    """What is not read waits in the pipe, not in our memory, and arrives all the same."""
    command = (sys.executable, "-c", "print('x' * 3_000_000)")
    group = await Group.start(command, given=b"", environ=ENVIRON, cwd=None)

    async def is_held() -> bool:
        return group.is_held

    await eventually(is_held, what="a full queue")
    size = sum([len(chunk) async for chunk in group.output()])
    await group.end(1)
    assert (size, group.is_held, group.returncode) == (3_000_001, False, 0)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("import sys; print('half'); sys.exit('no luck')", r"ended with code 1: no luck"),
        ("import sys; sys.exit(3)", r"^the command ended with code 3$"),
        ("import os; os.kill(os.getpid(), 9)", r"^the command was ended by SIGKILL$"),
        ("""print('{"error":"tired"}')""", "^tired$"),
    ],
)
async def test_failing_command_fails_the_turn(code: str, text: str) -> None:
    """The reason names code or signal, and the end of standard error."""
    with pytest.raises(RunnerFailed, match=text):
        await collect(runner(code), turn())


class Hasty(Group):
    """A program whose input is closed before it was given any."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it."""
        super().connection_made(transport)
        self._transport.get_pipe_transport(0).close()  # type: ignore[union-attr]


@pytest.mark.parametrize("new_loop", [uvloop.new_event_loop, asyncio.new_event_loop])
def test_program_that_closes_its_input_at_once_is_heard(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """On the daemon's event loop too, which refuses to write to what is closed."""

    async def work() -> tuple[bytes, int | None]:
        command = (sys.executable, "-c", "print('short')")
        group = await Hasty.start(command, given=b"x" * 100_000, environ=ENVIRON, cwd=None)
        printed = b"".join([chunk async for chunk in group.output()])
        await group.end(1.0)
        return printed, group.returncode

    with asyncio.Runner(loop_factory=new_loop) as loop:
        assert loop.run(work()) == (b"short\n", 0)


async def test_command_that_does_not_exist_fails_the_turn() -> None:
    """The error names the program."""
    settings = AgentSettings(runner="command", command=("/nowhere/agent",))
    with pytest.raises(RunnerFailed, match="cannot start '/nowhere/agent': No such file"):
        await collect(CommandRunner(settings, ENVIRON), turn())


CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
print(child.pid, flush=True)
"""


async def test_abort_ends_the_whole_group() -> None:
    """Closing the turn ends the program and its child."""
    code = CHILD.replace("child.pid", "f'{child.pid} {os.getpid()}'")
    outputs = runner("import os\n" + code + "time.sleep(300)").take(turn())
    child, leader = map(int, (await first(outputs)).split())
    await outputs.aclose()
    await gone(leader)
    await gone(child)


async def test_cancelling_ends_the_whole_group() -> None:
    """A task that is cancelled while it waits for output leaves no process."""
    pids: list[int] = []

    async def take() -> None:
        async with contextlib.aclosing(runner(CHILD + "time.sleep(300)").take(turn())) as outputs:
            async for output in outputs:
                pids.extend(map(int, output.text.split()))
                started.set()

    started = asyncio.Event()
    task = asyncio.create_task(take())
    await asyncio.wait_for(started.wait(), 20)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    await gone(pids[0])


async def test_deaf_command_is_killed() -> None:
    """SIGTERM is followed by SIGKILL after the grace."""
    code = "import signal, os, time; signal.signal(15, signal.SIG_IGN)\n"
    code += "print(os.getpid(), flush=True); time.sleep(300)"
    outputs = runner(code, kill_grace_s=0.05).take(turn())
    pid = int(await first(outputs))
    await outputs.aclose()
    await gone(pid)


async def test_command_has_time_to_clean_up(tmp_path: Path) -> None:
    """A program that obeys SIGTERM ends by itself within the grace."""
    code = "import signal, os, time, sys, pathlib\n"
    code += "signal.signal(15, lambda *_: (pathlib.Path('done').touch(), sys.exit()))\n"
    code += "print(os.getpid(), flush=True); time.sleep(300)"
    outputs = runner(code, kill_grace_s=20, cwd=str(tmp_path)).take(turn())
    pid = int(await first(outputs))
    await outputs.aclose()
    await gone(pid)
    assert (tmp_path / "done").exists()


async def test_child_that_is_left_behind_does_not_hold_the_turn() -> None:
    """When the program has ended, so has the turn, though a child holds its output open."""
    outputs = await collect(runner(CHILD), turn())
    await gone(int(text_of(outputs)))
