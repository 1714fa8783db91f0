"""Agents that take turns: their settings, their runners, and the chat's own settings."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from hubbub.core.chat.session_keys import agent_id
from hubbub.core.ports import Runner, Runners


RunnerName = Literal["echo", "command", "openai", "attached"]


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section ``[agents.NAME]``: one agent; `main` is the one that everybody talks to."""

    runner: RunnerName = "echo"
    """What takes its turns: ``echo`` repeats the message, ``command`` starts a program,
    ``openai`` asks an OpenAI-compatible endpoint, ``attached`` hands the turn to the agent of
    this name that is connected here.
    """
    command: tuple[str, ...] = ()
    """Program and arguments (``command``): one process per turn."""
    input: Literal["text", "json"] = "text"
    """What the program reads: the message, or the whole turn as one JSON object (``command``)."""
    cwd: str | None = None
    """Folder in which the program starts (``command``)."""
    kill_grace_s: float = 2.0
    """Seconds between SIGTERM and SIGKILL for a program that is to end (``command``)."""
    base_url: str | None = None
    """Address of the endpoint, with its ``/v1`` (``openai``)."""
    model: str | None = None
    """Name of the model (``openai``)."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key (``openai``)."""
    system_prompt: str | None = None
    """Stands before the conversation (``openai``; ``command`` with ``input = "json"``)."""
    options: dict[str, Any] = {}
    """Further fields of the request body (``openai``), e.g. ``temperature = 0.2``."""
    max_retries: int = 0
    """Times that a request which failed before its first word is sent again (``openai``)."""
    timeout_s: float = 600.0
    """Seconds that a turn may take; a message may ask for less or more."""
    direct_messages: Literal["store", "chat"] = "store"
    """What a direct message to it is: something that is stored and told, or also a message in
    its main session, which it answers there.
    """
    max_session_turns: int = 1
    """Turns of one session that run side by side at most; further ones wait, in order, under
    their own run ids. With more than 1, answers of one session may overtake each other.
    """

    def __post_init__(self) -> None:
        """Check that the runner has what it needs.

        Raises:
            ValueError: It has not, or a number is out of range.
        """
        needs: Mapping[str, tuple[str, ...]] = {
            "command": ("command",),
            "openai": ("base_url", "model"),
        }
        for name in needs.get(self.runner, ()):
            if not getattr(self, name):
                message = f"runner = {self.runner!r} needs {name}"
                raise ValueError(message)
        if self.timeout_s <= 0 or self.max_session_turns < 1:
            message = "timeout_s must be over 0, and max_session_turns at least 1"
            raise ValueError(message)


class ChatSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section ``[chat]``."""

    max_message_bytes: int = 1024 * 1024
    """Bytes of one message's text at most."""
    max_attachment_bytes: int = 5_000_000
    """Decoded bytes of one attachment at most."""
    max_attachments: int = 20
    """Attachments of one message at most."""
    delta_interval_ms: int = 40
    """Milliseconds between two ``chat.delta`` of one turn at least."""
    max_answer_bytes: int = 4 * 1024 * 1024
    """Bytes of one answer's text at most; a longer one ends its turn with an error."""
    context_messages: int = 200
    """Earlier messages that a runner is given at most."""
    context_bytes: int = 1024 * 1024
    """Bytes of earlier messages that a runner is given at most."""
    max_turns: int = 64
    """Turns of all sessions that run at a time at most; further ones wait, in order."""
    max_waiting_turns: int = 100
    """Turns that wait in one session at most; further messages are refused."""
    max_timeout_s: float = 86_400.0
    """Seconds that a turn may take at most, whoever asks for more."""
    retry_s: float = 1.0
    """Seconds between two attempts to store a turn's step while the store cannot write."""


class Agents:
    """Finds the settings and the runner of any agent."""

    def __init__(self, settings: Mapping[str, AgentSettings], runners: Runners) -> None:
        """Take the agents that the configuration names.

        Args:
            runners: Gives the runner of any agent, configured or not.
        """
        self._settings = {agent_id(name): agent for name, agent in settings.items()}
        self._runners = runners
        self._default = AgentSettings()

    def names(self) -> list[str]:
        """Name the configured agents, as they are in session keys."""
        return sorted(self._settings)

    def settings(self, agent: str) -> AgentSettings:
        """Give the settings of an agent; the defaults for one that is not configured."""
        return self._settings.get(agent, self._default)

    def runner(self, agent: str) -> Runner:
        """Give what takes an agent's turns."""
        return self._runners(agent)
