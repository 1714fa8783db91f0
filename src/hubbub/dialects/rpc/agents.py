"""``agents.*`` and ``presence.list``: who is here."""

from typing import Annotated, Literal

import msgspec

from hubbub.core.identity.presence import AgentPresence
from hubbub.core.tracker.issues import MAX_NUMBER
from hubbub.core.tracker.locks import holder_for
from hubbub.dialects.calls import Reply
from hubbub.dialects.rpc.answers import submitted
from hubbub.dialects.rpc.methods import Caller, Change, Empty, Method
from hubbub.errors import InvalidRequest


class Heartbeat(Change, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``agents.heartbeat``."""

    active_issue_id: Annotated[int, msgspec.Meta(ge=1, le=MAX_NUMBER)] | None = None
    """What the agent works on; without it: on nothing."""
    machine_id: str = ""
    agent: str | None = None
    """Only the operator may name another than itself, and must."""
    status: Literal["active"] = "active"
    """Who sends a heartbeat is active."""
    idempotency_key: str | None = None
    """Taken for the sake of clients that send one always: a heartbeat may be repeated."""


class AgentList(msgspec.Struct, frozen=True):
    """Result of ``agents.list`` and ``presence.list``."""

    agents: list[AgentPresence]


def heartbeat(caller: Caller, params: Heartbeat, reply: Reply) -> None:
    """Note a heartbeat; the answer comes after it was stored and told."""
    agent = params.agent or caller.principal.agent
    if agent is None:
        message = "the operator is no agent: name one in agent"
        raise InvalidRequest(message)
    agent = holder_for(caller.principal, agent)
    known = caller.hub.presence.beat(
        agent,
        "hubbub",
        active_issue_id=params.active_issue_id,
        machine_id=params.machine_id,
    )
    # Units are settled in order, so this one is when those of the heartbeat are.
    submitted(caller, lambda _tx: known, reply)


def list_agents(caller: Caller, _params: Empty, reply: Reply) -> None:
    """Give all agents that were ever heard."""
    reply(AgentList(agents=caller.hub.presence.list()))


METHODS = [
    Method(
        name="agents.heartbeat",
        params=Heartbeat,
        result=AgentPresence,
        summary="Say that an agent is alive, and what it works on.",
        run=heartbeat,
    ),
    Method(
        name="agents.list",
        params=Empty,
        result=AgentList,
        summary="Give all known agents with status, doors and last heartbeat.",
        run=list_agents,
    ),
    Method(
        name="presence.list",
        params=Empty,
        result=AgentList,
        summary="The same as agents.list.",
        run=list_agents,
    ),
]
