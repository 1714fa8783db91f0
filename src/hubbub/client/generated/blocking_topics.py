"""The methods `topics.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from typing import Any

from hubbub.client.calls import BlockingMethods, Loop
from hubbub.client.generated.topics import TopicsMethods
from hubbub.client.generated.topics_types import PublishedAt


class BlockingTopicsMethods(BlockingMethods):
    """The methods `topics.*`."""

    def __init__(self, loop: Loop, twin: TopicsMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def publish(
        self,
        topic: str,
        data: Any,
        *,
        kind: str = "message",
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> PublishedAt:
        """Store an event under a topic and tell it to everyone who listens."""
        return self._loop.run(
            self._twin.publish(
                topic, data, kind=kind, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        )
