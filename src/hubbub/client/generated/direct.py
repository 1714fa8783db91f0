"""The methods `direct.*`.

Written by `python -m scripts.write_client`.
"""

from typing import Any

from hubbub.client.calls import Methods
from hubbub.client.generated.direct_types import SentAt


class DirectMethods(Methods):
    """The methods `direct.*`."""

    async def send(
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
        params: dict[str, Any] = {
            "to": to,
            "payload": payload,
            "cause": cause,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("direct.send", params, SentAt, timeout_s)
