"""One connection, as far as the client needs to know it."""

from typing import Protocol


class Wire(Protocol):
    """One connection."""

    @property
    def code(self) -> int | None:
        """Close code with which the daemon has ended it, once it has."""

    async def send(self, text: str) -> None:
        """Send one message; nothing happens on a connection that has ended."""

    async def receive(self) -> str | bytes | None:
        """Wait for a message; ``None``: the connection has ended."""

    async def close(self) -> None:
        """End it."""
