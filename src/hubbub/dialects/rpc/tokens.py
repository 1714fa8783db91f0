"""``tokens.*``: make, show and revoke the tokens of agents; let browsers in."""

import msgspec

from hubbub.core.identity.access import TokenInfo
from hubbub.core.identity.browsers import SCOPES, BrowserToken, Ticket
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
    """Id of a token, an agent's name for all of its tokens, or `operator` for all browsers."""


class Revoked(msgspec.Struct, frozen=True):
    """Result of ``tokens.revoke``."""

    revoked: int


class MakeTicket(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``tokens.ticket``."""

    scopes: list[Scope] = msgspec.field(default_factory=lambda: [*SCOPES])
    """What the browser may do."""


class RedeemTicket(Change, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``tokens.redeem``.

    Its idempotency key should be random: whoever has link and key is shown the token again.
    """

    ticket: str


async def create(caller: Caller, params: CreateToken) -> CreatedToken:
    """Make a token for an agent."""
    access = caller.hub.access
    token = await access.create(
        caller.principal, params.agent, tuple(params.scopes), key=params.idempotency_key
    )
    return CreatedToken(agent=params.agent, token=token, scopes=params.scopes)


async def show(caller: Caller, _params: Empty) -> Tokens:
    """Show the tokens of agents and browsers, without the secrets."""
    return Tokens(tokens=await caller.hub.access.list(caller.principal))


async def revoke(caller: Caller, params: RevokeToken) -> Revoked:
    """Make tokens void."""
    revoked = await caller.hub.access.revoke(
        caller.principal, params.token, key=params.idempotency_key
    )
    return Revoked(revoked=revoked)


async def make_ticket(caller: Caller, params: MakeTicket) -> Ticket:
    """Make a ticket that opens the page once."""
    return await caller.hub.access.browsers.ticket(
        caller.principal, tuple(params.scopes), key=params.idempotency_key
    )


async def redeem(caller: Caller, params: RedeemTicket) -> BrowserToken:
    """Give a browser token for a ticket."""
    return await caller.hub.access.browsers.redeem(params.ticket, key=params.idempotency_key)


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
        summary="Show the tokens of agents and browsers, without the secrets.",
        run=answered(show),
    ),
    Method(
        name="tokens.revoke",
        params=RevokeToken,
        result=Revoked,
        summary="Make a token void, all of an agent, or all of browsers (`operator`).",
        run=answered(revoke),
    ),
    Method(
        name="tokens.ticket",
        params=MakeTicket,
        result=Ticket,
        summary="Make a ticket that opens the page once, for the fragment of a link.",
        run=answered(make_ticket),
    ),
    Method(
        name="tokens.redeem",
        params=RedeemTicket,
        result=BrowserToken,
        summary="Give a browser token for a ticket; needs no token, by POST.",
        run=answered(redeem),
    ),
]
