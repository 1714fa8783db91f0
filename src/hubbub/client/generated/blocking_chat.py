"""The methods `chat.*`, for callers without an event loop.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Sequence
from typing import Any, Literal

from hubbub.client.calls import BlockingMethods, JsonObject, Loop
from hubbub.client.events import Position
from hubbub.client.generated.chat import ChatMethods
from hubbub.client.generated.chat_types import (
    AbortedRuns,
    Attachment,
    Deleted,
    Ended,
    Heard,
    HistoryPage,
    Imported,
    Injected,
    SentMessage,
    SessionList,
)
from hubbub.client.generated.shared_types import SessionInfo


class BlockingChatMethods(BlockingMethods):
    """The methods `chat.*`."""

    def __init__(self, loop: Loop, twin: ChatMethods) -> None:
        """Call what has an event loop."""
        super().__init__(loop)
        self._twin = twin

    def abort(
        self,
        session: str,
        *,
        run_id: str | None = None,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> AbortedRuns:
        """Abort one turn of a session, or all; nothing of them is told afterwards.

        Args:
            run_id: Left out: all turns of the session.
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        return self._loop.run(
            self._twin.abort(
                session,
                run_id=run_id,
                cause=cause,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def answer(
        self,
        run_id: str,
        *,
        text: str = "",
        error: str | None = None,
        usage: dict[str, int] | None = None,
        model: str | None = None,
        provider: str | None = None,
        agent: str | None = None,
        timeout_s: float | None = None,
    ) -> Ended:
        """End a turn with its answer or its error; answered when that is stored.

        Args:
            text: The rest of the answer.
            error: Why there is no answer; then the turn has failed.
            usage: ``input``, ``output``, ``cacheRead``, ``cacheWrite``, ``totalTokens``.
            agent: Only the operator may name another than itself, and must.
        """
        return self._loop.run(
            self._twin.answer(
                run_id,
                text=text,
                error=error,
                usage=usage,
                model=model,
                provider=provider,
                agent=agent,
                timeout_s=timeout_s,
            )
        )

    def history(
        self,
        session: str,
        *,
        limit: int = 200,
        at: Position | str | None = None,
        timeout_s: float | None = None,
    ) -> HistoryPage:
        """Read the newest messages of a session, and what its agent is saying now.

        Args:
            at: A position or a cursor: as it was then; left out: as it is now.
        """
        return self._loop.run(self._twin.history(session, limit=limit, at=at, timeout_s=timeout_s))

    def import_session(
        self,
        session: str,
        entry: dict[str, Any],
        *,
        messages: Sequence[Any] | None = None,
        offset: int = 0,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Imported:
        """Take over a part of a conversation that was held elsewhere, once.

        Args:
            offset: Number of the first of these messages within the whole transcript.
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        return self._loop.run(
            self._twin.import_session(
                session,
                entry,
                messages=messages,
                offset=offset,
                cause=cause,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def inject(
        self,
        session: str,
        message: str,
        *,
        label: str | None = None,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Injected:
        """Add a message to a conversation as its agent's, without a turn.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        return self._loop.run(
            self._twin.inject(
                session,
                message,
                label=label,
                cause=cause,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def say(
        self,
        run_id: str,
        n: int,
        *,
        text: str = "",
        tool: dict[str, Any] | None = None,
        agent: str | None = None,
        timeout_s: float | None = None,
    ) -> Heard:
        """Add a piece to the answer of a turn, text or a tool's work.

        Args:
            n: Number of this piece, from 0; the same again is not heard twice.
            text: Text to append to the answer.
            tool: A tool's work: ``phase`` (``start``, ``update``, ``result``), ``toolCallId``,
                ``name``…
            agent: Only the operator may name another than itself, and must.
        """
        return self._loop.run(
            self._twin.say(run_id, n, text=text, tool=tool, agent=agent, timeout_s=timeout_s)
        )

    def send(
        self,
        session: str,
        message: str,
        *,
        attachments: Sequence[Attachment | JsonObject] | None = None,
        thinking: str | None = None,
        timeout_ms: int | None = None,
        multitask_strategy: Literal["enqueue", "reject", "interrupt", "rollback"] | None = None,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> SentMessage:
        """Send a message to an agent, or hear what became of the same send.

        Args:
            multitask_strategy: What it does while a turn of the session is open; left out: what the
                session says.
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
            idempotency_key: Becomes the run's id.
        """
        return self._loop.run(
            self._twin.send(
                session,
                message,
                attachments=attachments,
                thinking=thinking,
                timeout_ms=timeout_ms,
                multitask_strategy=multitask_strategy,
                cause=cause,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def session_delete(
        self,
        session: str,
        *,
        delete_transcript: bool = True,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Deleted:
        """Delete a session and its transcript.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        return self._loop.run(
            self._twin.session_delete(
                session,
                delete_transcript=delete_transcript,
                cause=cause,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def session_patch(
        self,
        session: str,
        changes: dict[str, Any],
        *,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> SessionInfo:
        """Change a session's label, levels or policy; makes it where it is missing.

        Args:
            changes: New values of fields; null clears.
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        return self._loop.run(
            self._twin.session_patch(
                session, changes, cause=cause, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        )

    def session_reset(
        self,
        session: str,
        *,
        cause: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> SessionInfo:
        """Begin a session anew; the old transcript is kept under its own id.

        Args:
            cause: What led to this: an event's id, or a topic of the daemon's (``runs/<id>``),
                which stands for the newest event under it. It becomes the ``cause`` of the events
                that the call records.
        """
        return self._loop.run(
            self._twin.session_reset(
                session, cause=cause, idempotency_key=idempotency_key, timeout_s=timeout_s
            )
        )

    def sessions(
        self,
        *,
        agent: str | None = None,
        label: str | None = None,
        search: str | None = None,
        active_minutes: int | None = None,
        limit: int = 100,
        timeout_s: float | None = None,
    ) -> SessionList:
        """List the conversations, the one that changed last first."""
        return self._loop.run(
            self._twin.sessions(
                agent=agent,
                label=label,
                search=search,
                active_minutes=active_minutes,
                limit=limit,
                timeout_s=timeout_s,
            )
        )
