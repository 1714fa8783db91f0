"""The methods `tokens.*`.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Sequence
from typing import Any, Literal

from hubbub.client.calls import Methods
from hubbub.client.generated.tokens_types import BrowserToken, CreatedToken, Revoked, Ticket, Tokens


class TokensMethods(Methods):
    """The methods `tokens.*`."""

    async def create(
        self,
        agent: str,
        *,
        scopes: Sequence[Literal["read", "write", "admin"]] | None = None,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> CreatedToken:
        """Make a token for an agent; it is shown this once.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        params: dict[str, Any] = {
            "agent": agent,
            "scopes": scopes,
            "cause": cause,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("tokens.create", params, CreatedToken, timeout_s)

    async def list(self, *, timeout_s: float | None = None) -> Tokens:
        """Show the tokens of agents and browsers, without the secrets."""
        params: dict[str, Any] = {}
        return await self._calls.invoke("tokens.list", params, Tokens, timeout_s)

    async def redeem(
        self,
        ticket: str,
        *,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> BrowserToken:
        """Give a browser token for a ticket; needs no token, by POST.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        params: dict[str, Any] = {
            "ticket": ticket,
            "cause": cause,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("tokens.redeem", params, BrowserToken, timeout_s)

    async def revoke(
        self,
        token: str,
        *,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Revoked:
        """Make a token void, all of an agent, or all of browsers (`operator`).

        Args:
            token: Id of a token, an agent's name for all of its tokens, or `operator` for all
                browsers.
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        params: dict[str, Any] = {
            "token": token,
            "cause": cause,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("tokens.revoke", params, Revoked, timeout_s)

    async def ticket(
        self,
        *,
        scopes: Sequence[Literal["read", "write", "admin"]] | None = None,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Ticket:
        """Make a ticket that opens the page once, for the fragment of a link.

        Args:
            scopes: What the browser may do.
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        params: dict[str, Any] = {
            "scopes": scopes,
            "cause": cause,
            "idempotency_key": idempotency_key,
        }
        return await self._calls.invoke("tokens.ticket", params, Ticket, timeout_s)
