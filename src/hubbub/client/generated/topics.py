"""The methods `topics.*`.

Written by `python -m scripts.write_client`.
"""

from typing import Any

from hubbub.client.calls import Methods
from hubbub.client.generated.topics_types import PublishedAt, TopicList


class TopicsMethods(Methods):
    """The methods `topics.*`."""

    async def list(
        self,
        *,
        prefix: str = "",
        after: str | None = None,
        services: bool = True,
        limit: int = 100,
        timeout_s: float | None = None,
    ) -> TopicList:
        """Give the topics of the journal by name, with their newest event.

        Args:
            after: The last topic that the caller has.
            services: Also the topics under which only the daemon writes.
        """
        params: dict[str, Any] = {
            "prefix": prefix,
            "after": after,
            "services": services,
            "limit": limit,
        }
        return await self._calls.invoke("topics.list", params, TopicList, timeout_s)

    async def publish(
        self,
        topic: str,
        data: Any,
        *,
        kind: str = "message",
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> PublishedAt:
        """Store an event under a topic and tell it to everyone who listens.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        params: dict[str, Any] = {
            "topic": topic,
            "data": data,
            "kind": kind,
            "cause": cause,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("topics.publish", params, PublishedAt, timeout_s)
