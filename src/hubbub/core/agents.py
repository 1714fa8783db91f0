"""What is configured of each agent: who executes its turns, and with what."""

from typing import Literal

import msgspec


DEFAULT_AGENT = "main"
"""The agent that a person talks to where none is named."""


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[agents.NAME]``; without any, there is the agent ``main`` with the echo."""

    runner: Literal["echo", "command", "openai", "attached"] = "echo"
    """What executes a turn: the built-in echo, a command, an OpenAI-compatible endpoint, or an
    agent that is connected here."""
    command: list[str] = []
    """Runner ``command``: the program and its arguments."""
    base_url: str = ""
    """Runner ``openai``: address of the endpoint, up to and with ``/v1``."""
    model: str = ""
    """Runner ``openai``: name of the model."""
    api_key_env: str = ""
    """Runner ``openai``: name of the variable that holds the key; the key itself is never
    written here."""
    timeout_s: float = 600.0
    """Seconds that a turn may take; then it ends as timed out."""

    def __post_init__(self) -> None:
        """Check what belongs together.

        Raises:
            ValueError: The runner lacks what it needs.
        """
        if self.runner == "command" and not self.command:
            message = 'runner "command" needs `command`, as command = ["my-agent", "--jsonl"]'
            raise ValueError(message)
        if self.runner == "openai" and not (self.base_url and self.model):
            message = 'runner "openai" needs `base_url` and `model`'
            raise ValueError(message)
