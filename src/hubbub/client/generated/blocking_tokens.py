"""The methods `tokens.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Sequence
from typing import Literal

from hubbub.client.calls import BlockingMethods, Loop
from hubbub.client.generated.tokens import TokensMethods
from hubbub.client.generated.tokens_types import BrowserToken, CreatedToken, Revoked, Ticket, Tokens


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
        return self._loop.run(
            self._twin.create(
                agent,
                scopes=scopes,
                cause=cause,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def list(self, *, timeout_s: float | None = None) -> Tokens:
        """Show the tokens of agents and browsers, without the secrets."""
        return self._loop.run(self._twin.list(timeout_s=timeout_s))

    def redeem(
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
        return self._loop.run(
            self._twin.redeem(
                ticket, cause=cause, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        )

    def revoke(
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
        return self._loop.run(
            self._twin.revoke(
                token, cause=cause, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        )

    def ticket(
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
        return self._loop.run(
            self._twin.ticket(
                scopes=scopes, cause=cause, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        )
