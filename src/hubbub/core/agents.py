"""Settings of agents and of the chat service: what `config.toml` says of them."""

from typing import Literal

import msgspec


RunnerName = Literal["echo", "command", "openai", "attached"]


class AgentSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One agent: ``[agents.NAME]``."""

    runner: RunnerName = "echo"
    """What takes its turns: ``echo`` repeats the message, ``command`` starts a program,
    ``openai`` asks an OpenAI-compatible endpoint, ``attached`` hands the turn to the agent of
    this name that is connected here.
    """
    command: tuple[str, ...] = ()
    """Program and arguments (``command``)."""
    base_url: str | None = None
    """Address of the endpoint, with its ``/v1`` (``openai``)."""
    model: str | None = None
    """Name of the model (``openai``)."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key (``openai``)."""
    system_prompt: str | None = None
    """Stands before the conversation (``openai``, ``command``)."""
    options: dict[str, msgspec.Raw] = {}
    """Further fields of the request body (``openai``), e.g. ``temperature = 0.2``."""
    timeout_s: float = 600.0
    """Seconds that a turn may take; a message may ask for less or more."""
    max_session_turns: int = 8
    """Turns of one session that run side by side at most; further ones wait, in order. 1 makes
    the turns of a session run one after the other.
    """


class ChatSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The chat service: ``[chat]``."""

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
    max_waiting_turns: int = 100
    """Turns that wait in one session at most; further messages are refused."""
