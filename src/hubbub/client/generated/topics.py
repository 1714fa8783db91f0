"""The methods `topics.*`.

Written by `python -m scripts.write_client`.
"""

from typing import Any

from hubbub.client.calls import Methods
from hubbub.client.generated.topics_types import PublishedAt


class TopicsMethods(Methods):
    """The methods `topics.*`."""

    async def publish(
        self,
        topic: str,
        data: Any,
        *,
        kind: str = "message",
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> PublishedAt:
        """Store an event under a topic and tell it to everyone who listens."""
        params: dict[str, Any] = {
            "topic": topic,
            "data": data,
            "kind": kind,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("topics.publish", params, PublishedAt, timeout_s)
