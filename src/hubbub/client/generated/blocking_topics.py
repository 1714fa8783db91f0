"""The methods `topics.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from typing import Any

from hubbub.client.calls import BlockingMethods, Loop
from hubbub.client.generated.topics import TopicsMethods
from hubbub.client.generated.topics_types import PublishedAt, TopicList


class BlockingTopicsMethods(BlockingMethods):
    """The methods `topics.*`."""

    def __init__(self, loop: Loop, twin: TopicsMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def list(
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
        return self._loop.run(
            self._twin.list(
                prefix=prefix, after=after, services=services, limit=limit, timeout_s=timeout_s
            )
        )

    def publish(
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
        return self._loop.run(
            self._twin.publish(
                topic,
                data,
                kind=kind,
                cause=cause,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )
