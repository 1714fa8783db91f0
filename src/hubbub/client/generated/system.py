"""The methods `system.*`.

Written by `python -m scripts.write_client`.
"""

from typing import Any

from hubbub.client.calls import Methods
from hubbub.client.generated.system_types import Health, Pong, Status


class SystemMethods(Methods):
    """The methods `system.*`."""

    async def health(self, *, timeout_s: float | None = None) -> Health:
        """Tell the daemon's figures: store, latency, listeners, connections, limits."""
        params: dict[str, Any] = {}
        return await self._calls.invoke("system.health", params, Health, timeout_s)

    async def ping(self, *, timeout_s: float | None = None) -> Pong:
        """Answer with the newest position of the journal."""
        params: dict[str, Any] = {}
        return await self._calls.invoke("system.ping", params, Pong, timeout_s)

    async def status(self, *, timeout_s: float | None = None) -> Status:
        """Tell how the daemon is: addresses, readiness, position, who is here."""
        params: dict[str, Any] = {}
        return await self._calls.invoke("system.status", params, Status, timeout_s)
