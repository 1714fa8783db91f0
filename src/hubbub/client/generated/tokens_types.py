"""Types of `tokens`.

Written by `python -m scripts.write_client`.
"""

from typing import Literal

import msgspec


class BrowserToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a ticket was redeemed for; the only time that it is shown."""

    token: str
    principal: str
    scopes: tuple[Literal["read", "write", "admin"], ...]
    expires_at: int
    """Unix time in milliseconds, if it is not used before; each use puts it off."""


class CreatedToken(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``tokens.create``: the only time that the token is shown."""

    agent: str
    token: str
    scopes: list[Literal["read", "write", "admin"]]


class Revoked(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``tokens.revoke``."""

    revoked: int


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """Opens the page once: it is redeemed for a browser token."""

    ticket: str
    expires_at: int
    """Unix time in milliseconds."""


class TokenInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of a token: everything but the token."""

    id: str
    """First 12 characters of its digest."""
    agent: str
    """``operator``: it is a browser's."""
    scopes: tuple[Literal["read", "write", "admin"], ...]
    created_at: int
    """Unix time in milliseconds."""
    kind: Literal["agent", "browser"] = "agent"
    expires_at: int | None = None
    """Unix time in milliseconds; ``None``: it lives until it is revoked."""


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``tokens.list``."""

    tokens: list[TokenInfo]
