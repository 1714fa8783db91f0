"""Turns taken by a program: one process per turn, ended with all its children on abort."""

import contextlib
import signal
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import msgspec

from hubbub.core.chat.agents import AgentSettings
from hubbub.core.ports import RunnerOutput, RunnerTurn
from hubbub.errors import RunnerFailed
from hubbub.runners.group import Group
from hubbub.runners.lines import Lines


class _Input(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a program reads with ``input = "json"``."""

    run_id: str
    agent: str
    session_key: str
    message: str
    history: Any = ()
    attachments: Any = ()
    thinking: str | None = None
    system_prompt: str | None = None


class CommandRunner:
    """Starts the configured program for each turn."""

    def __init__(self, settings: AgentSettings, environ: Mapping[str, str]) -> None:
        """Remember what to start.

        Args:
            environ: Variables that the program gets, without the daemon's own settings.
        """
        self._settings = settings
        self._environ = {
            name: value for name, value in environ.items() if not name.startswith("HUBBUB_")
        }

    async def take(self, turn: RunnerTurn) -> AsyncGenerator[RunnerOutput, None]:
        """Run the program and yield what it prints, as ``runners/lines.py`` says.

        Raises:
            RunnerFailed: It cannot be started, says so itself, or ends with another code than 0.
        """
        settings = self._settings
        try:
            group = await Group.start(
                settings.command,
                given=self._given(turn),
                environ=self._variables(turn),
                cwd=settings.cwd,
            )
        except OSError as error:
            message = f"cannot start {settings.command[0]!r}: {error.strerror or error}"
            raise RunnerFailed(message) from error
        lines = Lines()
        try:
            async with contextlib.aclosing(group.output()) as output:
                async for chunk in output:
                    for step in lines.feed(chunk):
                        yield step
            for step in lines.end():
                yield step
        finally:
            await group.end(settings.kill_grace_s)
        if group.returncode:
            raise RunnerFailed(_reason(group.returncode, group.complaint))

    def _given(self, turn: RunnerTurn) -> bytes:
        """Give what the program reads."""
        if self._settings.input == "text":
            return turn.message.encode()
        value = msgspec.convert(turn, _Input, from_attributes=True)
        value = msgspec.structs.replace(value, system_prompt=self._settings.system_prompt)
        return msgspec.json.encode(value)

    def _variables(self, turn: RunnerTurn) -> dict[str, str]:
        return {
            **self._environ,
            "HUBBUB_RUN_ID": turn.run_id,
            "HUBBUB_AGENT": turn.agent,
            "HUBBUB_SESSION_KEY": turn.session_key,
            "HUBBUB_THINKING": turn.thinking or "",
        }


def _reason(code: int, complaint: str) -> str:
    """Say for people how a program failed."""
    how = (
        f"the command ended with code {code}"
        if code > 0
        else f"the command was ended by {signal.Signals(-code).name}"
    )
    return f"{how}: {complaint}" if complaint else how
