"""Chat: messages to agents, their turns, and the conversations that come of it.

The values are in ``conversation.py``, the names of sessions in ``session_keys.py``.
"""

from collections.abc import Iterable

import msgspec

from hubbub.core.bus import Bus
from hubbub.core.chat import attachments, session_table
from hubbub.core.chat.agents import Agents, ChatSettings
from hubbub.core.chat.conversation import (
    AbortReason,
    History,
    Imported,
    ImportRequest,
    Injected,
    InjectedMessage,
    InjectRequest,
    Running,
    SendRequest,
    Sent,
)
from hubbub.core.chat.imports import Imports
from hubbub.core.chat.live_turns import LiveTurns
from hubbub.core.chat.messages import assistant_message
from hubbub.core.chat.session_keys import agent_of, canonical, topic_of
from hubbub.core.chat.sessions import Sessions
from hubbub.core.chat.stored_turn import Answer, Asked
from hubbub.core.chat.transcript import Transcript
from hubbub.core.chat.turn_table import TurnTable
from hubbub.core.chat.turns import Turns
from hubbub.core.idempotency import digest, once
from hubbub.core.journal import Journal
from hubbub.core.ports import Store, Transaction, Unit
from hubbub.core.runs.run import MAX_RUN_ID_CHARACTERS, is_run_id
from hubbub.core.runs.service import Runs
from hubbub.core.values import Clock, Event, IdSource, Principal
from hubbub.errors import InvalidRequest, NotFound, TooLarge


STOP_WORDS = frozenset(("/stop", "stop", "esc", "abort", "wait", "exit", "interrupt"))
"""Messages that abort the session's turns and are not stored; in any case, blanks around."""
MAX_HISTORY = 1000
"""Messages in one history at most."""
MAX_LABEL_CHARACTERS = 100
"""Length of the label of an injected message at most."""
MAX_THINKING_CHARACTERS = 64
"""Length of a thinking level at most."""


class Chat:
    """Sends, aborts and remembers. All verbs submit their unit before they first wait."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        bus: Bus,
        *,
        runs: Runs,
        agents: Agents,
        clock: Clock,
        ids: IdSource,
        settings: ChatSettings | None = None,
    ) -> None:
        """Begin with no turn; ``load`` brings back what the store knows."""
        self._journal = journal
        self._clock = clock
        self._settings = settings = settings or ChatSettings()
        self._transcript = transcript = Transcript(store, ids)
        self._table = table = TurnTable(transcript, runs, clock, ids)
        self._live = LiveTurns(
            bus,
            clock=clock,
            ids=ids,
            interval_ms=settings.delta_interval_ms,
            changed=self.start,
        )
        self._turns = Turns(
            journal,
            table,
            live=self._live,
            agents=agents,
            settings=settings,
        )
        self._imports = Imports(journal, transcript, clock)
        self.agents = agents
        """Who can be talked to, besides the agents that are connected here."""
        self.sessions = Sessions(
            journal, store, table=table, transcript=transcript, clock=clock, ids=ids
        )
        """The verbs on sessions."""

    async def load(self) -> None:
        """End the turns that the last daemon left in the middle; call after ``runs.load``."""
        await self._turns.load()

    def start(self) -> None:
        """Start the turns that were accepted and never begun; call once the doors are open."""
        self._turns.fill()

    async def close(self) -> None:
        """End what runs as interrupted, and wait until no process or connection is left."""
        await self._turns.close()

    # -- verbs ---------------------------------------------------------------------------

    async def send(self, caller: Principal, request: SendRequest) -> Sent:
        """Store a message and let its agent take a turn, or tell what became of the same send.

        Where a turn of the session is open, ``request.multitask_strategy`` or else the session's
        own says what becomes of it; that is decided in the unit that stores the message. The
        answer comes after ``chat.accepted`` was told and before ``chat.started`` is.

        Raises:
            InvalidRequest: The key, session key, an attachment (``attachment NAME: …``) or the
                timeout has no usable form; neither text nor image is left; the session's
                ``sendPolicy`` is ``deny`` (``send blocked by session policy``).
            TooLarge: The message is over a limit.
            IdempotencyConflict: The key stands for another message, or for another's run.
            SessionBusy: A turn of the session is open, and the strategy is ``reject``.
            Conflict: Too many turns wait in this session.
            Forbidden: The caller may not write.
        """
        asked = self._asked(caller, request)
        if is_stop_word(request.message) and not asked.images:
            # Under the message's own key: a retry stops nothing that has begun since.
            key = f"{request.idempotency_key}:stop"
            aborted = await self.abort(caller, asked.key, reason="stop", key=key)
            return Sent(run_id=request.idempotency_key, status="stopped", aborted=aborted)

        said = self._live.hold(asked.key)

        def send(tx: Transaction) -> Sent:
            return self._table.accept_in(tx, caller, asked, said)

        try:
            return await self._journal.commit(send)
        finally:
            self._live.release(asked.key)

    def accepting(self, caller: Principal, request: SendRequest) -> Unit[Sent]:
        """Make the unit that stores a message and its turn, for use within another one.

        What open turns have said is not kept. Raises as ``send``; a unit that refuses has
        changed nothing. A stop word is a message like any other.
        """
        asked = self._asked(caller, request)
        return lambda tx: self._table.accept_in(tx, caller, asked, {})

    async def answer(self, caller: Principal, request: SendRequest, reply: str) -> Sent:
        """Store a message that is answered at once by the daemon itself, without a runner.

        For slash commands: the run has its ``chat.accepted``, ``chat.started`` and
        ``chat.final`` when this returns; the final's message has the stop reason
        ``injected``. It leaves open turns alone. States, keys and errors as ``send``.
        """
        asked = self._asked(caller, msgspec.structs.replace(request, multitask_strategy="enqueue"))

        def answer(tx: Transaction) -> Sent:
            sent = self._table.accept_in(tx, caller, asked, {})
            if sent.status == "started":
                self._table.begin_in(tx, sent.run_id)
                self._table.finish_in(tx, sent.run_id, Answer(text=reply, is_injected=True))
            return sent

        return await self._journal.commit(answer)

    async def abort(
        self,
        caller: Principal,
        session_key: str,
        run_id: str | None = None,
        *,
        reason: AbortReason = "rpc",
        key: str | None = None,
    ) -> tuple[str, ...]:
        """Abort a turn, or all turns of a session, waiting ones too.

        ``chat.aborted`` has been stored and told when this returns; nothing of these runs is
        told afterwards.

        Args:
            run_id: ``None``: all turns of the session.
            key: Idempotency key.

        Returns:
            Ids of the runs that were aborted by this call; empty where nothing was active.

        Raises:
            InvalidRequest: The run is active in another session (``runId does not match
                sessionKey``).
            Forbidden: The caller may not write.
        """
        caller.require("write")
        name = canonical(session_key)

        def abort(tx: Transaction) -> tuple[str, ...]:
            return self._table.abort_in(tx, name, run_id, reason, actor=caller.id)

        request = digest("chat.abort", name, run_id or "")
        return await self._journal.commit(
            once(
                abort,
                caller=caller,
                key=key,
                request=request,
                result=tuple[str, ...],
                clock=self._clock,
            )
        )

    async def inject(self, caller: Principal, request: InjectRequest) -> Injected:
        """Add a message to a conversation as its agent's, without a turn.

        Raises:
            NotFound: ``NotFound("session", …)``.
            Forbidden: The caller is neither an administrator nor that session's agent.
            InvalidRequest, TooLarge, IdempotencyConflict: as ``send``.
        """
        name = canonical(request.session_key)
        if caller.agent != agent_of(name):
            caller.require("admin")
        label = (request.label or "").strip()
        if len(label) > MAX_LABEL_CHARACTERS:
            message = f"label has {MAX_LABEL_CHARACTERS} characters at most"
            raise InvalidRequest(message)
        self._check_text(request.message)
        if not request.message.strip():
            message = "message is empty"
            raise InvalidRequest(message)
        text = f"[{label}]\n\n{request.message}" if label else request.message

        def inject(tx: Transaction) -> Injected:
            return self._inject_in(tx, name, text, caller.id)

        return await self._journal.commit(
            once(
                inject,
                caller=caller,
                key=request.idempotency_key,
                request=digest("chat.inject", name, text),
                result=Injected,
                clock=self._clock,
            )
        )

    def _inject_in(self, tx: Transaction, name: str, text: str, actor: str) -> Injected:
        session = session_table.find_in(tx, name)
        if session is None:
            raise NotFound("session", name)
        now = self._clock()
        message = assistant_message(text, at=now, stop_reason="injected")
        _, message_id = self._transcript.add_in(tx, session.session_id, "assistant", message)
        touched = session_table.touch_in(tx, session, at=now)
        data = InjectedMessage(
            session_key=name, message_id=message_id, message=message, session=touched
        )
        tx.append(topic_of(name), "chat.injected", data, actor=actor)
        return Injected(message_id)

    async def import_session(self, caller: Principal, request: ImportRequest) -> Imported:
        """Take over a conversation that was held elsewhere; a second time changes nothing.

        Imported messages stand before those of this daemon; where the session exists, its
        own fields win.

        Raises:
            Forbidden: The caller is not an administrator.
            InvalidRequest: A message is not an object with a ``role``; the entry has no
                ``sessionId``; the session key is unusable.
        """
        return await self._imports.take_over(caller, request)

    # -- reading -------------------------------------------------------------------------

    async def history(
        self, session_key: str, *, limit: int = 200, max_bytes: int = 6 * 1024 * 1024
    ) -> History:
        """Give the newest messages of a session.

        Args:
            limit: Messages at most, 1 to 1,000.
            max_bytes: Bytes of all of them as one JSON array at most; the last message is
                given even where it alone is larger.

        Raises:
            InvalidRequest: The key or the limit has no usable form.
        """
        check_limit(limit)
        name = canonical(session_key)
        found = await self._transcript.snapshot(name, limit=limit, max_bytes=max_bytes)
        await self._journal.told(found.seq)
        return History(
            session_key=name,
            session_id=found.session.session_id if found.session else None,
            messages=found.messages,
            run_ids=found.run_ids,
            seq=found.seq,
            thinking=found.session.fields.get("thinkingLevel") if found.session else None,
        )

    def running(self, session_key: str | None = None) -> list[Running]:
        """Give the turns of a session, or of all, that have not ended; oldest first."""
        name = None if session_key is None else canonical(session_key)
        return [turn.running() for turn in self._live.all() if name in (None, turn.session_key)]

    def spelling(self, run_id: str) -> str | None:
        """Give the session key of a run as its sender wrote it.

        Known from ``chat.accepted`` until the run's last event has been told; ``None`` before
        and after.
        """
        turn = self._live.get(run_id)
        return None if turn is None else turn.spelling

    def said(self, run_id: str) -> str:
        """Give what a turn has been told to say so far; empty where it does not run."""
        turn = self._live.get(run_id)
        return "" if turn is None or turn.is_ended else turn.told

    def so_far(self, patterns: Iterable[str]) -> list[Event]:
        """Give one ephemeral ``chat.delta`` for each running turn under these topics.

        For who joins late: it has the whole text so far, as ``text`` and as ``delta``.
        """
        return self._live.so_far(patterns)

    # -- checks --------------------------------------------------------------------------

    def _asked(self, caller: Principal, request: SendRequest) -> Asked:
        """Check a request; nothing is stored yet."""
        caller.require("write")
        name = canonical(request.session_key)
        if not is_run_id(request.idempotency_key):
            message = (
                "an idempotency key becomes the run's id: 1 to "
                f"{MAX_RUN_ID_CHARACTERS} printable characters without '*'"
            )
            raise InvalidRequest(message)
        if (request.timeout_ms or 0) < 0 or len(request.thinking or "") > MAX_THINKING_CHARACTERS:
            message = (
                "timeout_ms must not be negative, and thinking has "
                f"{MAX_THINKING_CHARACTERS} characters at most"
            )
            raise InvalidRequest(message)
        self._check_text(request.message)
        images = attachments.images(
            request.attachments,
            max_bytes=self._settings.max_attachment_bytes,
            max_count=self._settings.max_attachments,
        )
        if not request.message.strip() and not images:
            message = "message or attachment required"
            raise InvalidRequest(message)
        strategy = request.multitask_strategy or ""
        parts = (name, request.message, request.thinking or "", strategy)
        limit = self.agents.settings(agent_of(name)).max_session_turns
        return Asked(
            request=request,
            key=name,
            images=images,
            digest=digest("chat.send", *parts, *(image.data for image in images)),
            max_open=limit + self._settings.max_waiting_turns,
        )

    def _check_text(self, text: str) -> None:
        size = len(text.encode())
        if size > self._settings.max_message_bytes:
            message = f"message has {size} bytes; {self._settings.max_message_bytes} at most"
            raise TooLarge(message)


def is_stop_word(message: str) -> bool:
    """Say whether a message is one that aborts."""
    return message.strip().lower() in STOP_WORDS


def check_limit(limit: int) -> None:
    """Check how many messages of a history are asked for.

    Raises:
        InvalidRequest: The number is out of range.
    """
    if not 1 <= limit <= MAX_HISTORY:
        message = f"limit must be from 1 to {MAX_HISTORY}"
        raise InvalidRequest(message)
