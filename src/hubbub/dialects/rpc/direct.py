"""``direct.send`` and ``agents.identity``: messages between agents, and who they are."""

import base64

import msgspec

from hubbub.core.identity.identities import ID_CHARACTERS, agent_of
from hubbub.core.ports import Settled
from hubbub.dialects.calls import Reply
from hubbub.dialects.rpc.methods import Caller, Change, Method
from hubbub.errors import NotFound


class Send(Change, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``direct.send``."""

    to: str
    """Name of the agent, or its id of 64 hex characters."""
    payload: str
    """Standard base64, padded."""


class SentAt(msgspec.Struct, frozen=True):
    """Result of ``direct.send``."""

    message_id: str
    seq: int


class Who(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``agents.identity``."""

    agent: str | None = None
    """Name or id; without it: the caller itself."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``agents.identity``."""

    agent: str
    agent_id: str
    machine_id: str
    public_key: str
    """ML-DSA-65 key that the id is made of; base64."""
    kem_public_key: str
    """ML-KEM-768 key; base64."""


def _name(caller: Caller, name_or_id: str) -> str:
    """Find an agent by name or by id."""
    identities = caller.hub.identities
    if identities.knows(name_or_id) or len(name_or_id) != ID_CHARACTERS:
        return name_or_id
    return identities.name(name_or_id.lower())


def send(caller: Caller, params: Send, reply: Reply) -> None:
    """Send; the answer comes after the commit."""

    def done(settled: Settled) -> None:
        if settled.error is not None:
            reply(settled.error)
        else:
            reply(SentAt(message_id=settled.value.message_id, seq=settled.value.seq))

    caller.hub.direct.submit(
        caller.principal,
        _name(caller, params.to),
        params.payload,
        done,
        logical_id=params.idempotency_key,
    )


def identity(caller: Caller, params: Who, reply: Reply) -> None:
    """Give an agent's ids and public keys."""
    identities = caller.hub.identities
    name = agent_of(caller.principal) if params.agent is None else _name(caller, params.agent)
    if params.agent is not None and not identities.knows(name):
        raise NotFound("agent", name)
    key = identities.signing_key(name).public_key().public_bytes_raw()
    reply(
        Identity(
            agent=name,
            agent_id=identities.agent_id(name),
            machine_id=identities.machine_id,
            public_key=base64.b64encode(key).decode(),
            kem_public_key=base64.b64encode(identities.kem_public_key(name)).decode(),
        )
    )


METHODS = [
    Method(
        name="direct.send",
        params=Send,
        result=SentAt,
        summary="Store a message for an agent and tell it to the agent's connections.",
        run=send,
    ),
    Method(
        name="agents.identity",
        params=Who,
        result=Identity,
        summary="Give an agent's ids and public keys.",
        run=identity,
    ),
]
