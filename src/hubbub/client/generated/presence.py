"""The methods `presence.*`.

Written by `python -m scripts.write_client`.
"""

from typing import Any

from hubbub.client.calls import Methods
from hubbub.client.generated.shared_types import AgentList


class PresenceMethods(Methods):
    """The methods `presence.*`."""

    async def list(self, *, timeout_s: float | None = None) -> AgentList:
        """The same as agents.list."""
        params: dict[str, Any] = {}
        return await self._calls.invoke("presence.list", params, AgentList, timeout_s)
