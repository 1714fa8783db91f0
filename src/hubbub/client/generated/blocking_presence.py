"""The methods `presence.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from hubbub.client.calls import BlockingMethods, Loop
from hubbub.client.generated.presence import PresenceMethods
from hubbub.client.generated.shared_types import AgentList


class BlockingPresenceMethods(BlockingMethods):
    """The methods `presence.*`."""

    def __init__(self, loop: Loop, twin: PresenceMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def list(self, *, timeout_s: float | None = None) -> AgentList:
        """The same as agents.list."""
        return self._loop.run(self._twin.list(timeout_s=timeout_s))
