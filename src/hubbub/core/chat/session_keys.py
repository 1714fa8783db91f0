"""Names of conversations: any spelling in, one canonical key out. Pure.

Canonical is ``agent:<agentId>:<rest>``; ``global`` and ``unknown`` stay as they are.
"""

import re

from hubbub.errors import InvalidRequest


DEFAULT_AGENT = "main"
MAIN = "main"
BARE = ("global", "unknown")
"""Keys that belong to no agent; their turns are taken by the default agent."""
MAX_SESSION_KEY_CHARACTERS = 512
"""Length of a session key at most."""
MAX_AGENT_ID_CHARACTERS = 64
"""Length of an agent id in a session key at most; more is cut."""

_BAD = re.compile(r"[^a-z0-9_-]+")


def canonical(key: str) -> str:
    """Give the one key under which a session is stored.

    Raises:
        InvalidRequest: The key is empty, too long, has unprintable characters, or begins
            with ``agent:`` and is not ``agent:<agentId>:<rest>``.
    """
    key = key.strip()
    if not 0 < len(key) <= MAX_SESSION_KEY_CHARACTERS or not key.isprintable():
        message = f"a session key has 1 to {MAX_SESSION_KEY_CHARACTERS} printable characters"
        raise InvalidRequest(message)
    if key in BARE:
        return key
    prefix, colon, rest = key.partition(":")
    if prefix.lower() != "agent" or not colon:
        return f"agent:{DEFAULT_AGENT}:{key}"
    agent, _, rest = rest.partition(":")
    if not agent.strip() or not rest:
        message = f"session key {key!r} has not the form agent:<agentId>:<rest>"
        raise InvalidRequest(message)
    return f"agent:{agent_id(agent)}:{rest}"


def agent_of(key: str) -> str:
    """Give the agent of a canonical key."""
    return DEFAULT_AGENT if key in BARE else key.split(":", 2)[1]


def main_key(agent: str = DEFAULT_AGENT) -> str:
    """Give the key of an agent's main session."""
    return f"agent:{agent_id(agent)}:{MAIN}"


def agent_id(name: str) -> str:
    """Give an agent's name the form that it has in session keys: ``[a-z0-9][a-z0-9_-]{0,63}``."""
    cleaned = _BAD.sub("-", name.strip().lower()).lstrip("-_")
    return cleaned[:MAX_AGENT_ID_CHARACTERS] or DEFAULT_AGENT


def topic_of(key: str) -> str:
    """Give the topic of a session's events."""
    return f"chat/{key}"
