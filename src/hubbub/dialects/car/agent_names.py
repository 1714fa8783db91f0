"""How a start names its agent where it gives no id."""

import unicodedata

from hubbub.errors import NotFound


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


def slug_of(name: str) -> str:
    """Make the stable part of an id of a name: ``Bulldozer Agent`` → ``bulldozer-agent``."""
    plain = "".join(c if c.isalnum() else " " for c in unicodedata.normalize("NFKC", name).lower())
    return "-".join(plain.split())
