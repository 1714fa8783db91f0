"""The methods `tokens.*`.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Sequence
from typing import Any, Literal

from hubbub.client.calls import Methods
from hubbub.client.generated.tokens_types import CreatedToken, Revoked, Tokens


class TokensMethods(Methods):
    """The methods `tokens.*`."""

    async def create(
        self,
        agent: str,
        *,
        scopes: Sequence[Literal["read", "write", "admin"]] | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> CreatedToken:
        """Make a token for an agent; it is shown this once."""
        params: dict[str, Any] = {
            "agent": agent,
            "scopes": scopes,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("tokens.create", params, CreatedToken, timeout_s)

    async def list(self, *, timeout_s: float | None = None) -> Tokens:
        """Show the agents' tokens, without the secrets."""
        params: dict[str, Any] = {}
        return await self._calls.invoke("tokens.list", params, Tokens, timeout_s)

    async def revoke(
        self, token: str, *, idempotency_key: str | None = None, timeout_s: float | None = None
    ) -> Revoked:
        """Make a token void, or all tokens of an agent.

        Args:
            token: Id of a token, or an agent's name for all of its tokens.
        """
        params: dict[str, Any] = {"token": token, "idempotency_key": idempotency_key}
        return await self._calls.invoke("tokens.revoke", params, Revoked, timeout_s)
