"""``agents.attach``, ``chat.say``, ``chat.answer``: an agent of this door takes turns."""

from collections.abc import Coroutine
from typing import Any

import msgspec

from hubbub.core.chat.session_keys import agent_id
from hubbub.core.ports import RunnerOutput
from hubbub.core.tracker.locks import holder_for
from hubbub.dialects.calls import Reply
from hubbub.dialects.rpc.desk import Ended, HandedTurn, Heard, over
from hubbub.dialects.rpc.methods import Caller, Empty, Method
from hubbub.errors import Conflict, InvalidRequest, RunnerFailed


MAX_INSTANCE_CHARACTERS = 128
"""Length of the name of a program at most."""


class Attach(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``agents.attach``."""

    instance: str
    """A name that this program makes up when it starts, and keeps over its connections."""
    agent: str | None = None
    """Only the operator may name another than itself, and must."""


class Detach(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``agents.detach``."""

    instance: str
    """The name that the program gave to ``agents.attach``."""
    agent: str | None = None
    """Only the operator may name another than itself, and must."""


class Attached(msgspec.Struct, frozen=True):
    """Result of ``agents.attach``."""

    agent: str
    turns: list[HandedTurn]
    """Turns that are open: those of this program's last connection, which go on."""


class Say(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``chat.say``."""

    run_id: str
    n: int
    """Number of this piece, from 0; the same again is not heard twice."""
    text: str = ""
    """Text to append to the answer."""
    tool: dict[str, Any] | None = None
    """A tool's work: ``phase`` (``start``, ``update``, ``result``), ``toolCallId``, ``name``…"""
    agent: str | None = None
    """Only the operator may name another than itself, and must."""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of ``chat.answer``."""

    run_id: str
    text: str = ""
    """The rest of the answer."""
    error: str | None = None
    """Why there is no answer; then the turn has failed."""
    usage: dict[str, int] | None = None
    """``input``, ``output``, ``cacheRead``, ``cacheWrite``, ``totalTokens``."""
    model: str | None = None
    provider: str | None = None
    agent: str | None = None
    """Only the operator may name another than itself, and must."""


def _agent(caller: Caller, agent: str | None) -> str:
    if agent is None and caller.principal.agent is None:
        message = "the operator is no agent: name one in agent"
        raise InvalidRequest(message)
    return holder_for(caller.principal, agent)


def attach(caller: Caller, params: Attach, reply: Reply) -> None:
    """Let a connection take an agent's turns."""
    agent = _agent(caller, params.agent)
    if not 0 < len(params.instance) <= MAX_INSTANCE_CHARACTERS:
        message = f"instance has 1 to {MAX_INSTANCE_CHARACTERS} characters"
        raise InvalidRequest(message)
    if caller.desks is None or caller.outbox is None or caller.connection_id is None:
        message = "a call by POST has no connection on which turns could be taken"
        raise InvalidRequest(message)
    desk, turns = caller.desks.attach(agent, params.instance, caller.connection_id, caller.outbox)
    caller.attached[agent] = desk
    reply(Attached(agent=agent, turns=turns))


def detach(caller: Caller, params: Detach, reply: Reply) -> None:
    """Take no more turns of an agent; what is open fails."""
    agent = _agent(caller, params.agent)
    desk = None if caller.desks is None else caller.desks.get(agent)
    if desk is not None and desk.instance == params.instance:
        desk.leave()
    reply(Empty())


def say(caller: Caller, params: Say, reply: Reply) -> Coroutine[Any, Any, None] | None:
    """Add a piece to an answer."""
    agent = _agent(caller, params.agent)
    tool = None if params.tool is None else msgspec.Raw(msgspec.json.encode(params.tool))
    step = RunnerOutput(text=params.text, tool=tool)
    desk = None if caller.desks is None else caller.desks.get(agent)
    if desk is None or not desk.has(params.run_id):
        return _elsewhere(caller, agent, params.run_id, None)
    reply(desk.say(caller.connection_id, params.run_id, params.n, step))
    return None


def answer(caller: Caller, params: Answer, reply: Reply) -> Coroutine[Any, Any, None] | None:
    """End a turn."""
    agent = _agent(caller, params.agent)
    last = (
        RunnerOutput(
            text=params.text, usage=params.usage, model=params.model, provider=params.provider
        )
        if params.error is None
        else RunnerFailed(params.error or "the agent failed without a word")
    )
    desk = None if caller.desks is None else caller.desks.get(agent)
    if desk is None or not desk.has(params.run_id):
        return _elsewhere(caller, agent, params.run_id, reply)
    desk.answer(caller.connection_id, params.run_id, last, reply)
    return None


async def _elsewhere(caller: Caller, agent: str, run_id: str, reply: Reply | None) -> None:
    """Answer what is said of a turn that is not open here.

    Args:
        reply: Takes the answer of who ended the turn before, and was not told.

    Raises:
        Conflict: It has ended otherwise, or somebody else takes it.
        NotFound: There is no such turn.
    """
    run = await caller.hub.runs.find(run_id)
    if run.agent != agent_id(agent):
        message = f"turn {run_id} is not one of {agent!r}"
        raise Conflict(message)
    if run.status == "in_progress":
        message = f"turn {run_id} is not taken on this connection; call agents.attach first"
        raise Conflict(message)
    if reply is None or run.status != "completed":
        raise over(run_id)
    reply(Ended(run_id))


METHODS = [
    Method(
        name="agents.attach",
        params=Attach,
        result=Attached,
        summary="Take an agent's turns on this connection; each comes as `chat.turn`.",
        run=attach,
    ),
    Method(
        name="agents.detach",
        params=Detach,
        result=Empty,
        summary="Take no more turns of an agent; those that are open fail.",
        run=detach,
    ),
    Method(
        name="chat.say",
        params=Say,
        result=Heard,
        summary="Add a piece to the answer of a turn, text or a tool's work.",
        run=say,
    ),
    Method(
        name="chat.answer",
        params=Answer,
        result=Ended,
        summary="End a turn with its answer or its error; answered when that is stored.",
        run=answer,
    ),
]
