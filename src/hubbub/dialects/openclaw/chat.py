"""``chat.*``: say something, read what was said, stop what runs."""

import contextlib
from collections.abc import Coroutine, Sequence
from typing import Annotated, Any

import msgspec

from hubbub.core.chat.conversation import (
    Attachment,
    InjectRequest,
    MultitaskStrategy,
    SendRequest,
    Sent,
)
from hubbub.core.chat.session_keys import canonical
from hubbub.dialects.openclaw.commands import Commands
from hubbub.dialects.openclaw.direct import DirectLines
from hubbub.dialects.openclaw.events import Feed
from hubbub.dialects.openclaw.frames import UNAVAILABLE, Count, Name, Params, Refused
from hubbub.dialects.openclaw.history import clean, merge, newest
from hubbub.dialects.openclaw.methods import Method, Request
from hubbub.dialects.openclaw.room import Room
from hubbub.errors import InvalidRequest, NotFound


DEFAULT_LIMIT = 200
"""Messages in one answer of ``chat.history``, where the client does not say."""
MAX_LIMIT = 1000
ENVELOPE_BYTES = 512
"""Bytes of a message that cleaning may take away: so much more is read than is shown."""


class History(Params, frozen=True):
    """Parameters of ``chat.history``."""

    session_key: Name
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT


class File(msgspec.Struct, frozen=True, rename="camel"):
    """An attachment; one without text as its content is dropped."""

    content: Any = None
    mime_type: str | None = None
    file_name: str | None = None
    type: str | None = None


class Send(Params, frozen=True):
    """Parameters of ``chat.send``."""

    session_key: Name
    message: str
    idempotency_key: Name
    thinking: str | None = None
    deliver: bool = False
    """Matters to chat channels alone, which this gateway has not got."""
    attachments: tuple[File, ...] = ()
    timeout_ms: Count | None = None
    multitask_strategy: MultitaskStrategy | None = None
    """Ours: what the message does while a turn of the session is open."""


class Abort(Params, frozen=True):
    """Parameters of ``chat.abort``."""

    session_key: Name
    run_id: Name | None = None
    idempotency_key: Name | None = None
    """Ours, as of all that change something without a key of the protocol's own."""


class Inject(Params, frozen=True):
    """Parameters of ``chat.inject``."""

    session_key: Name
    message: Name
    label: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    idempotency_key: Name | None = None


class Chat:
    """The methods."""

    def __init__(self, room: Room, feed: Feed, lines: DirectLines) -> None:
        """Work on the room's hub."""
        self._room = room
        self._chat = room.hub.chat
        self._feed = feed
        self._lines = lines
        self._commands = Commands(room.hub)

    def methods(self) -> Sequence[Method]:
        """Give the rows of the method table."""
        return [
            Method(name="chat.history", params=History, run=self.history, is_large=True),
            Method(name="chat.send", params=Send, run=self.send),
            Method(name="chat.abort", params=Abort, run=self.abort),
            Method(name="chat.inject", params=Inject, run=self.inject),
        ]

    async def history(self, request: Request, params: History) -> object:
        """Give the newest messages, cleaned, within the byte cap."""
        max_bytes = self._room.settings.history_max_bytes
        read_bytes = max_bytes + params.limit * ENVELOPE_BYTES
        found = await self._chat.history(
            params.session_key, limit=params.limit, max_bytes=read_bytes
        )
        lines = await self._lines.messages(request.principal, found.session_key)
        messages = merge([clean(message) for message in found.messages], lines)
        answer: dict[str, object] = {"sessionKey": params.session_key}
        if found.session_id is not None:
            answer["sessionId"] = found.session_id
        answer["messages"] = newest(messages, limit=params.limit, max_bytes=max_bytes)
        answer["thinkingLevel"] = found.thinking or "off"
        return answer

    async def send(self, request: Request, params: Send) -> object:
        """Store a message; its agent's turn begins after the answer."""
        wanted = SendRequest(
            session_key=params.session_key,
            message=params.message,
            idempotency_key=params.idempotency_key,
            attachments=attachments(params.attachments),
            thinking=params.thinking,
            timeout_ms=params.timeout_ms,
            multitask_strategy=params.multitask_strategy,
        )
        with attachment_errors():
            reply = self._commands.reply(request.principal, wanted)
            if reply is not None:
                return answer_of(await self._command(reply, params.idempotency_key))
            return answer_of(await self._chat.send(request.principal, wanted))

    async def _command(self, reply: Coroutine[Any, Any, Sent], run_id: str) -> Sent:
        """Work off a slash command."""
        self._feed.command(run_id)
        try:
            return await reply
        finally:
            self._feed.no_command(run_id)

    async def abort(self, request: Request, params: Abort) -> object:
        """Abort a run, or all of a session; the event is told before this is answered."""
        aborted = await self._chat.abort(
            request.principal, params.session_key, params.run_id, key=params.idempotency_key
        )
        return {"ok": True, "aborted": bool(aborted), "runIds": aborted}

    async def inject(self, request: Request, params: Inject) -> object:
        """Add a message of the assistant's without a run."""
        wanted = InjectRequest(
            session_key=params.session_key,
            message=params.message,
            label=params.label,
            idempotency_key=params.idempotency_key,
        )
        key = canonical(params.session_key)
        self._feed.spell(key, params.session_key)
        try:
            injected = await self._chat.inject(request.principal, wanted)
        except NotFound:
            message = "session not found"
            raise Refused(message) from None
        finally:
            self._feed.unspell(key)
        return {"ok": True, "messageId": injected.message_id}


def attachments(files: Sequence[File]) -> list[Attachment]:
    """Give the attachments that have a content; others are dropped, as clients expect."""
    return [
        Attachment(content=file.content, mime_type=file.mime_type, file_name=file.file_name)
        for file in files
        if isinstance(file.content, str) and file.content
    ]


@contextlib.contextmanager
def attachment_errors() -> Any:
    """Give what is wrong with an attachment the words that clients know."""
    try:
        yield
    except InvalidRequest as error:
        text = str(error)
        raise Refused(f"Error: {text}" if text.startswith("attachment ") else text) from None


def answer_of(sent: Sent) -> object:
    """Give the answer to a message.

    Raises:
        Refused: Its turn has failed.
    """
    if sent.status == "stopped":
        return {"ok": True, "aborted": bool(sent.aborted), "runIds": sent.aborted}
    if sent.status == "error":
        summary = sent.summary or "the run failed"
        payload = {"runId": sent.run_id, "status": "error", "summary": summary}
        raise Refused(summary, code=UNAVAILABLE, payload=payload)
    return {"runId": sent.run_id, "status": sent.status}
