"""The methods `direct.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from hubbub.client.calls import BlockingMethods, Loop
from hubbub.client.generated.direct import DirectMethods
from hubbub.client.generated.direct_types import SentAt


class BlockingDirectMethods(BlockingMethods):
    """The methods `direct.*`."""

    def __init__(self, loop: Loop, twin: DirectMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def send(
        self,
        to: str,
        payload: str,
        *,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> SentAt:
        """Store a message for an agent and tell it to the agent's connections.

        Args:
            to: Name of the agent, or its id of 64 hex characters.
            payload: Standard base64, padded.
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        return self._loop.run(
            self._twin.send(
                to, payload, cause=cause, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        )
