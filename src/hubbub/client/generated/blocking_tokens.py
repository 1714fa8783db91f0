"""The methods `tokens.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Sequence
from typing import Literal

from hubbub.client.calls import BlockingMethods, Loop
from hubbub.client.generated.tokens import TokensMethods
from hubbub.client.generated.tokens_types import CreatedToken, Revoked, Tokens


class BlockingTokensMethods(BlockingMethods):
    """The methods `tokens.*`."""

    def __init__(self, loop: Loop, twin: TokensMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def create(
        self,
        agent: str,
        *,
        scopes: Sequence[Literal["read", "write", "admin"]] | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> CreatedToken:
        """Make a token for an agent; it is shown this once."""
        return self._loop.run(
            self._twin.create(
                agent, scopes=scopes, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        )

    def list(self, *, timeout_s: float | None = None) -> Tokens:
        """Show the agents' tokens, without the secrets."""
        return self._loop.run(self._twin.list(timeout_s=timeout_s))

    def revoke(
        self, token: str, *, idempotency_key: str | None = None, timeout_s: float | None = None
    ) -> Revoked:
        """Make a token void, or all tokens of an agent.

        Args:
            token: Id of a token, or an agent's name for all of its tokens.
        """
        return self._loop.run(
            self._twin.revoke(token, idempotency_key=idempotency_key, timeout_s=timeout_s)
        )
