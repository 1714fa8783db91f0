"""``tokens.*``: make, show and revoke the tokens of agents."""

import msgspec

from hubbub.core.identity.access import TokenInfo
from hubbub.core.values import Scope
from hubbub.dialects.calls import answered
from hubbub.dialects.rpc.methods import Caller, Change, Empty, Method


class CreateToken(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``tokens.create``."""

    agent: str
    scopes: list[Scope] = msgspec.field(default_factory=lambda: ["read", "write"])


class CreatedToken(msgspec.Struct, frozen=True):
    """Result of ``tokens.create``: the only time that the token is shown."""

    agent: str
    token: str
    scopes: list[Scope]


class Tokens(msgspec.Struct, frozen=True):
    """Result of ``tokens.list``."""

    tokens: list[TokenInfo]


class RevokeToken(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``tokens.revoke``."""

    token: str
    """Id of a token, or an agent's name for all of its tokens."""


class Revoked(msgspec.Struct, frozen=True):
    """Result of ``tokens.revoke``."""

    revoked: int


async def create(caller: Caller, params: CreateToken) -> CreatedToken:
    """Make a token for an agent."""
    access = caller.hub.access
    token = await access.create(
        caller.principal, params.agent, tuple(params.scopes), key=params.idempotency_key
    )
    return CreatedToken(agent=params.agent, token=token, scopes=params.scopes)


async def show(caller: Caller, _params: Empty) -> Tokens:
    """Show the agents' tokens, without the secrets."""
    return Tokens(tokens=await caller.hub.access.list(caller.principal))


async def revoke(caller: Caller, params: RevokeToken) -> Revoked:
    """Make tokens void."""
    revoked = await caller.hub.access.revoke(
        caller.principal, params.token, key=params.idempotency_key
    )
    return Revoked(revoked=revoked)


METHODS = [
    Method(
        name="tokens.create",
        params=CreateToken,
        result=CreatedToken,
        summary="Make a token for an agent; it is shown this once.",
        run=answered(create),
    ),
    Method(
        name="tokens.list",
        params=Empty,
        result=Tokens,
        summary="Show the agents' tokens, without the secrets.",
        run=answered(show),
    ),
    Method(
        name="tokens.revoke",
        params=RevokeToken,
        result=Revoked,
        summary="Make a token void, or all tokens of an agent.",
        run=answered(revoke),
    ),
]
