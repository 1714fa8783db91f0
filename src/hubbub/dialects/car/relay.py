"""``agents.chat``: a host starts a chat turn of an agent and hears it to its end.

The turn is the chat service's, whoever takes it; one listener for the whole door hands its
events to the connection that asked.
"""

import msgspec

from hubbub.core.chat.conversation import Attachment, SendRequest
from hubbub.core.chat.session_keys import agent_id
from hubbub.core.hub import Hub
from hubbub.core.idempotency import answered, digest, once
from hubbub.core.values import Event
from hubbub.dialects.car import frames
from hubbub.dialects.car.methods import Caller, Method
from hubbub.dialects.car.methods import answered as waiting
from hubbub.errors import Conflict, InvalidRequest


TERMINAL = ("chat.final", "chat.error", "chat.aborted")
"""Kinds of events after which a turn says nothing more."""


class File(msgspec.Struct, frozen=True):
    """One attachment; clients call its parts by different names."""

    content: str | None = None
    data: str | None = None
    mime_type: str | None = None
    name: str | None = None


class Chat(msgspec.Struct, frozen=True):
    """Params of ``agents.chat``; what else clients send is the agent's own choice here."""

    agent_id: str
    prompt: str
    session_id: str | None = None
    attachments: tuple[File, ...] | None = None
    idempotency_key: str | None = None


class Cancel(msgspec.Struct, frozen=True):
    """Params of ``agents.chat.cancel``."""

    session_id: str
    idempotency_key: str | None = None


class Watched(msgspec.Struct, frozen=True):
    """One turn that a connection hears."""

    caller: Caller
    session_id: str
    session_key: str


class _Told(msgspec.Struct, frozen=True):
    """What is read in a chat's events."""

    run_id: str = ""
    delta: str = ""
    error: str = ""
    reason: str = ""
    tool: msgspec.Raw = frames.NULL
    usage: msgspec.Raw = frames.NULL


_told = msgspec.json.Decoder(_Told)


class Relay:
    """Hands the events of chat turns to the connections that asked for them."""

    def __init__(self, hub: Hub) -> None:
        """Listen for as long as the daemon runs."""
        self._turns: dict[str, Watched] = {}
        hub.bus.listen(["chat/*"], self.heard)

    def watch(self, run_id: str, watched: Watched) -> None:
        """Hand the events of a run to a connection from now on.

        Raises:
            Conflict: The connection hears too many turns, or another hears this one.
        """
        limit = watched.caller.settings.max_turns
        if sum(other.caller is watched.caller for other in self._turns.values()) >= limit:
            message = f"a connection chats in {limit} turns at a time at most"
            raise Conflict(message)
        known = self._turns.setdefault(run_id, watched)
        if known.caller is not watched.caller:
            message = f"turn {run_id} is heard on another connection"
            raise Conflict(message)

    def forget(self, run_id: str) -> None:
        """Hand on nothing more of a run."""
        self._turns.pop(run_id, None)

    def leave(self, caller: Caller) -> None:
        """Forget a connection; its turns go on without it."""
        for run_id in [run for run, turn in self._turns.items() if turn.caller is caller]:
            del self._turns[run_id]

    def running(self, caller: Caller, session_id: str) -> list[tuple[str, str]]:
        """Give run id and session key of a connection's turns in one of its conversations."""
        return [
            (run_id, turn.session_key)
            for run_id, turn in self._turns.items()
            if turn.caller is caller and turn.session_id == session_id
        ]

    def heard(self, event: Event) -> None:
        """Take an event of any chat."""
        if not self._turns:
            return
        told = _told.decode(event.data)
        watched = self._turns.get(told.run_id)
        if watched is None:
            return
        outbox = watched.caller.outbox
        terminal = event.kind in TERMINAL
        if terminal:
            del self._turns[told.run_id]
        params = _params(event.kind, told)
        if params:
            params["session_id"] = watched.session_id
            frame = outbox.frame(frames.notification("agents.chat.event", params))
            # A slow host loses words of the answer, never its end.
            outbox.press(frame) if terminal else outbox.push(frame)


def _params(kind: str, told: _Told) -> dict[str, object]:
    """Give an event as CAR tells it; empty for what it does not tell."""
    match kind:
        case "chat.delta":
            return {"kind": "token", "delta": told.delta}
        case "chat.tool":
            return {"kind": "tool_call", "tool_call": told.tool}
        case "chat.final":
            return {"kind": "done", "usage": told.usage}
        case "chat.error":
            return {"kind": "error", "error": told.error}
        case "chat.aborted":
            return {"kind": "error", "error": f"the turn was aborted ({told.reason})"}
    return {}


async def chat(caller: Caller, params: Chat) -> object:
    """Send a message to an agent; its answer comes as ``agents.chat.event``."""
    if not params.agent_id:
        message = "agent_id is empty"
        raise InvalidRequest(message)
    hub = caller.hub
    session_id = params.session_id or hub.ids()
    run_id = params.idempotency_key or hub.ids()
    key = f"agent:{agent_id(params.agent_id)}:{session_id}"
    request = SendRequest(
        session_key=key,
        message=params.prompt,
        idempotency_key=run_id,
        attachments=[_attachment(file) for file in params.attachments or ()],
    )
    caller.relay.watch(run_id, Watched(caller, session_id, key))
    try:
        sent = await hub.chat.send(caller.caller, request)
    except BaseException:
        caller.relay.forget(run_id)
        raise
    if sent.status not in ("started", "in_flight"):
        caller.relay.forget(run_id)
    return {"accepted": True, "session_id": session_id, "run_id": sent.run_id}


async def cancel(caller: Caller, params: Cancel) -> object:
    """Abort the turns that this connection started in a conversation.

    Which those are, memory knows: so the key is looked for first, and a retry aborts none of
    the turns that have begun since.
    """
    key, journal = params.idempotency_key, caller.hub.journal
    request = digest("agents.chat.cancel", params.session_id)
    if key is not None:
        known = await journal.commit(
            answered(caller=caller.caller, key=key, request=request, result=bool)
        )
        if known is not None:
            return {"cancelled": known.value, "session_id": params.session_id}
    aborted = False
    for run_id, session in caller.relay.running(caller, params.session_id):
        aborted = bool(await caller.hub.chat.abort(caller.caller, session, run_id)) or aborted
    told = once(
        lambda _tx: aborted,
        caller=caller.caller,
        key=key,
        request=request,
        result=bool,
        clock=caller.hub.clock,
    )
    return {"cancelled": await journal.commit(told), "session_id": params.session_id}


def _attachment(file: File) -> Attachment:
    content = file.content or file.data
    if content is None:
        message = "an attachment has its base64 in content"
        raise InvalidRequest(message)
    return Attachment(content=content, mime_type=file.mime_type, file_name=file.name)


METHODS = [
    Method(name="agents.chat", params=Chat, run=waiting(chat)),
    Method(name="agents.chat.cancel", params=Cancel, run=waiting(cancel)),
]
