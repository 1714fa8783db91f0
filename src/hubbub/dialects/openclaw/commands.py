"""Slash commands: messages that the gateway answers by itself, without a run of the agent.

Clients send them as chat messages; the answer is stored and told like any other. A text that
is no command of ours goes to the agent as it is.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from hubbub import __version__
from hubbub.core.chat.conversation import SendRequest, Sent
from hubbub.core.chat.session_keys import agent_of, canonical
from hubbub.core.hub import Hub
from hubbub.core.values import Principal
from hubbub.errors import InvalidRequest


HELP = """\
/help: this list
/status: the session, its agent and what runs
/new, /reset: begin a new conversation
/think LEVEL: off, minimal, low, medium or high; without LEVEL: what is set
/verbose LEVEL: on or off; without LEVEL: what is set
/queue WHAT: enqueue, reject, interrupt or rollback: what a message does while a turn runs
/stop: abort what runs"""

LEVELS = {"/think": "thinkingLevel", "/verbose": "verboseLevel", "/queue": "multitaskStrategy"}

Answer = Callable[[Principal, SendRequest, str], Awaitable[str]]


class Commands:
    """Knows the commands."""

    def __init__(self, hub: Hub) -> None:
        """Work on a hub."""
        self._hub = hub
        self._table: dict[str, Answer] = {
            "/help": self._help,
            "/status": self._status,
            "/new": self._new,
            "/reset": self._new,
            "/think": self._level,
            "/verbose": self._level,
            "/queue": self._level,
        }

    def reply(self, caller: Principal, request: SendRequest) -> Coroutine[Any, Any, Sent] | None:
        """Give the work that answers a command; ``None``: this is none."""
        name, _, rest = request.message.strip().partition(" ")
        answer = self._table.get(name.lower())
        if answer is None or request.attachments:
            return None
        return self._answered(answer, caller, request, rest.strip())

    async def _answered(
        self, answer: Answer, caller: Principal, request: SendRequest, rest: str
    ) -> Sent:
        text = await answer(caller, request, rest)
        return await self._hub.chat.answer(caller, request, text)

    async def _help(self, _caller: Principal, _request: SendRequest, _rest: str) -> str:
        return HELP

    async def _status(self, _caller: Principal, request: SendRequest, _rest: str) -> str:
        key = canonical(request.session_key)
        session = await self._hub.chat.sessions.get(key)
        fields = {} if session is None else session.fields
        lines = [
            f"hubbub {__version__}",
            f"session {key}, agent {agent_of(key)}",
            f"runs in this session: {len(self._hub.chat.running(key))}",
        ]
        lines += [f"{name} {fields[name]}" for name in LEVELS.values() if fields.get(name)]
        return "\n".join(lines)

    async def _new(self, caller: Principal, request: SendRequest, _rest: str) -> str:
        # Under the message's own key: a message that is sent twice begins one conversation.
        key = f"{request.idempotency_key}:reset"
        await self._hub.chat.sessions.reset(caller, request.session_key, key=key)
        return "A new conversation begins."

    async def _level(self, caller: Principal, request: SendRequest, rest: str) -> str:
        command = request.message.strip().partition(" ")[0].lower()
        name = LEVELS[command]
        if not rest:
            session = await self._hub.chat.sessions.get(request.session_key)
            level = None if session is None else session.fields.get(name)
            return f"{name} is {level or 'not set'}."
        key = f"{request.idempotency_key}:level"
        try:
            await self._hub.chat.sessions.patch(
                caller, request.session_key, {name: rest.lower()}, key=key
            )
        except InvalidRequest as error:
            return f"{error}."
        return f"{name} is now {rest.lower()}."
