"""``agents.chat``: a host starts a chat turn of an agent and hears it to its end.

The turn is the chat service's, whoever takes it; one listener for the whole door hands its
events to the connection that asked.
"""

import asyncio
from collections.abc import Callable

import msgspec

from hubbub.core.chat.conversation import Attachment, MultitaskStrategy, SendRequest
from hubbub.core.chat.session_keys import agent_id
from hubbub.core.hub import Hub
from hubbub.core.idempotency import answered, digest, once
from hubbub.core.runs.run import Run
from hubbub.core.values import Event
from hubbub.dialects.calls import answered as waiting
from hubbub.dialects.car import frames
from hubbub.dialects.car.methods import Caller, Method
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
    multitask_strategy: MultitaskStrategy | None = None
    """Ours: what the message does while a turn of the conversation is open."""


class Cancel(msgspec.Struct, frozen=True):
    """Params of ``agents.chat.cancel``."""

    session_id: str
    idempotency_key: str | None = None


class Watched(msgspec.Struct):
    """One turn that a connection hears."""

    caller: Caller
    session_id: str
    session_key: str
    is_follower: bool = False
    """It follows the turn's run, and has not asked for the turn."""
    held: list[bytes] | None = None
    """While its request is on its way: what it will be told behind the answer."""
    is_over: bool = False
    """The turn has ended; nothing will be added to what is held."""


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
        self._hub = hub
        self._turns: dict[str, list[Watched]] = {}
        hub.bus.listen(["chat/*"], self.heard)

    def watch(self, run_id: str, watched: Watched) -> bool:
        """Hand the events of a run to a connection, from now on and behind its answer.

        ``tell`` must follow. Any number of connections may hear a turn; one that comes while
        it runs gets what was said before as one token. False: the connection hears it already.

        Raises:
            Conflict: The connection hears too many turns.
        """
        limit = watched.caller.settings.max_turns
        asked = [known for known, _ in self._of(watched.caller)]
        if run_id in asked:
            return False
        if len(asked) >= limit:
            message = f"a connection chats in {limit} turns at a time at most"
            raise Conflict(message)
        self.forget(run_id, watched.caller)
        watched.held = []
        self._add(run_id, watched)
        return True

    def tell(self, run_id: str, caller: Caller) -> None:
        """Hand on what was held back; the request has been answered."""
        for watched in self._turns.get(run_id, ()):
            if watched.caller is caller and watched.held is not None:
                held, watched.held = watched.held, None
                for frame in held:
                    caller.outbox.press(frame)
        self._keep(run_id, lambda other: other.held is not None or not other.is_over)

    def follow(self, caller: Caller, run: Run) -> None:
        """Hand the words of a chat turn to a connection that follows its run, from now on."""
        key = run.session_key
        known = (watched.caller for watched in self._turns.get(run.run_id, ()))
        if key is None or caller in known:
            return
        session_id = key.split(":", 2)[-1]
        self._add(run.run_id, Watched(caller, session_id, key, is_follower=True))

    def unfollow(self, caller: Caller, run_id: str) -> None:
        """Hand on nothing more to a connection that followed a run."""
        self._keep(run_id, lambda other: other.caller is not caller or not other.is_follower)

    def forget(self, run_id: str, caller: Caller) -> None:
        """Hand on nothing more of a run to a connection."""
        self._keep(run_id, lambda other: other.caller is not caller)

    def leave(self, caller: Caller) -> None:
        """Forget a connection; its turns go on without it."""
        for run_id in tuple(self._turns):
            self.forget(run_id, caller)

    def _of(self, caller: Caller) -> list[tuple[str, Watched]]:
        """Give the turns that a connection has asked for."""
        return [
            (run_id, watched)
            for run_id, turn in self._turns.items()
            for watched in turn
            if watched.caller is caller and not watched.is_follower
        ]

    def _add(self, run_id: str, watched: Watched) -> None:
        self._turns.setdefault(run_id, []).append(watched)
        said = self._hub.chat.said(run_id)
        if said:
            _hand_on(watched, {"kind": "token", "delta": said}, is_terminal=False)

    def _keep(self, run_id: str, keeps: Callable[[Watched], bool]) -> None:
        kept = [watched for watched in self._turns.get(run_id, ()) if keeps(watched)]
        if kept:
            self._turns[run_id] = kept
        else:
            self._turns.pop(run_id, None)

    def running(self, caller: Caller, session_id: str) -> list[tuple[str, str]]:
        """Give run id and session key of a connection's turns in one of its conversations."""
        return [
            (run_id, watched.session_key)
            for run_id, watched in self._of(caller)
            if watched.session_id == session_id
        ]

    def heard(self, event: Event) -> None:
        """Take an event of any chat."""
        if not self._turns:
            return
        told = _told.decode(event.data)
        turn = self._turns.get(told.run_id)
        if turn is None:
            return
        params = _params(event.kind, told)
        is_terminal = event.kind in TERMINAL
        for watched in tuple(turn) if params else ():
            _hand_on(watched, params, is_terminal=is_terminal)
        if is_terminal:
            for watched in turn:
                watched.is_over = True
            self._keep(told.run_id, lambda watched: watched.held is not None)


def _hand_on(watched: Watched, params: dict[str, object], *, is_terminal: bool) -> None:
    outbox = watched.caller.outbox
    told = {**params, "session_id": watched.session_id}
    frame = outbox.frame(frames.notification("agents.chat.event", told))
    if watched.held is not None:
        watched.held.append(frame)
    elif is_terminal:
        outbox.press(frame)  # a slow host loses words of the answer, never its end
    else:
        outbox.push(frame)


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
        multitask_strategy=params.multitask_strategy,
    )
    is_new = caller.relay.watch(run_id, Watched(caller, session_id, key))
    try:
        sent = await hub.chat.send(caller.caller, request)
    except BaseException:
        if is_new:
            caller.relay.forget(run_id, caller)
        raise
    if sent.status not in ("started", "in_flight"):
        caller.relay.forget(run_id, caller)
    asyncio.get_running_loop().call_soon(caller.relay.tell, run_id, caller)
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
