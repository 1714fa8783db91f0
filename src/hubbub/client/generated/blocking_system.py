"""The methods `system.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from hubbub.client.calls import BlockingMethods, Loop
from hubbub.client.generated.system import SystemMethods
from hubbub.client.generated.system_types import Health, Pong, Status


class BlockingSystemMethods(BlockingMethods):
    """The methods `system.*`."""

    def __init__(self, loop: Loop, twin: SystemMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def health(self, *, timeout_s: float | None = None) -> Health:
        """Tell the daemon's figures: store, latency, listeners, connections, limits."""
        return self._loop.run(self._twin.health(timeout_s=timeout_s))

    def ping(self, *, timeout_s: float | None = None) -> Pong:
        """Answer with the newest position of the journal."""
        return self._loop.run(self._twin.ping(timeout_s=timeout_s))

    def status(self, *, timeout_s: float | None = None) -> Status:
        """Tell how the daemon is: addresses, readiness, position, who is here."""
        return self._loop.run(self._twin.status(timeout_s=timeout_s))
