"""Whose run it is: the ways in which a start names its agent."""

import unicodedata

from hubbub.dialects.car.methods import Caller
from hubbub.errors import Forbidden, NotFound


class UnknownAgent(NotFound):
    """A start names no agent, in none of the ways in which it could."""

    def __init__(self) -> None:
        """Name nobody."""
        super().__init__("agent", "")

    def __str__(self) -> str:
        """Name the ways."""
        return (
            "cannot resolve the agent of this run: bind the session, or send agent_id or agent_name"
        )


def resolve_agent(caller: Caller, agent_id: str | None, agent_name: str | None) -> str:
    """Find out whose run this is: the binding decides where there is one.

    Raises:
        Forbidden: The connection is bound to another agent than the one named.
        UnknownAgent: Nothing names an agent.
    """
    bound = caller.agent
    if bound is not None:
        if agent_id and agent_id != bound:
            message = f"this session is bound to agent {bound!r}; it cannot start a run as another"
            raise Forbidden(message)
        return bound
    if agent_id or caller.ambient_agent:
        return agent_id or caller.ambient_agent
    slug = slug_of(agent_name or "")
    if not slug:
        raise UnknownAgent
    return f"name:{slug}"


def slug_of(name: str) -> str:
    """Make the stable part of an id of a name: ``Bulldozer Agent`` → ``bulldozer-agent``."""
    plain = "".join(c if c.isalnum() else " " for c in unicodedata.normalize("NFKC", name).lower())
    return "-".join(plain.split())
