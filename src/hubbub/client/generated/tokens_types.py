"""Types of `tokens`.

Written by `python -m scripts.write_client`.
"""

from typing import Literal

import msgspec


class CreatedToken(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``tokens.create``: the only time that the token is shown."""

    agent: str
    token: str
    scopes: list[Literal["read", "write", "admin"]]


class Revoked(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``tokens.revoke``."""

    revoked: int


class TokenInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of a token: everything but the token."""

    id: str
    """First 12 characters of its digest."""
    agent: str
    scopes: tuple[Literal["read", "write", "admin"], ...]
    created_at: int
    """Unix time in milliseconds."""


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``tokens.list``."""

    tokens: list[TokenInfo]
