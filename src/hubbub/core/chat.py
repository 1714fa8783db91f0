"""Chat: messages to agents, their turns, and the conversations that come of it.

The values are in ``core/conversation.py``, the names of sessions in ``core/session_keys.py``.
"""

from collections.abc import Iterable

from hubbub.core.agents import ChatSettings
from hubbub.core.bus import Bus
from hubbub.core.conversation import (
    AbortReason,
    History,
    Imported,
    ImportRequest,
    Injected,
    InjectRequest,
    Running,
    SendRequest,
    Sent,
)
from hubbub.core.journal import Journal
from hubbub.core.ports import Runners, Store
from hubbub.core.runs import Runs
from hubbub.core.sessions import Sessions
from hubbub.core.values import Clock, Event, IdSource, Principal


class Chat:
    """Sends, aborts and remembers. All verbs submit their unit before they first wait."""

    sessions: Sessions
    """The verbs on sessions."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        bus: Bus,
        *,
        runs: Runs,
        runners: Runners,
        clock: Clock,
        ids: IdSource,
        settings: ChatSettings | None = None,
    ) -> None:
        """Begin with no turn; ``load`` brings back what the store knows."""

    async def load(self) -> None:
        """End the turns that the last daemon left in the middle; call after ``runs.load``."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the turns that were accepted and never begun; call once the doors are open."""
        raise NotImplementedError

    async def close(self) -> None:
        """End what runs as interrupted, and wait until no process or connection is left."""
        raise NotImplementedError

    # -- verbs ---------------------------------------------------------------------------

    async def send(self, caller: Principal, request: SendRequest) -> Sent:
        """Store a message and let its agent take a turn, or tell what became of the same send.

        The answer comes after ``chat.accepted`` was told and before ``chat.started`` is.

        Raises:
            InvalidRequest: The key, session key, an attachment (``attachment NAME: …``) or the
                timeout has no usable form; neither text nor image is left; the session's
                ``sendPolicy`` is ``deny`` (``send blocked by session policy``).
            TooLarge: The message is over a limit.
            IdempotencyConflict: The key stands for another message, or for another's run.
            Conflict: Too many turns wait in this session.
            Forbidden: The caller may not write.
        """
        raise NotImplementedError

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
        raise NotImplementedError

    async def inject(self, caller: Principal, request: InjectRequest) -> Injected:
        """Add a message to a conversation as its agent's, without a turn.

        Raises:
            NotFound: ``NotFound("session", …)``.
            Forbidden: The caller is neither an administrator nor that session's agent.
            InvalidRequest, TooLarge, IdempotencyConflict: as ``send``.
        """
        raise NotImplementedError

    async def answer(self, caller: Principal, request: SendRequest, reply: str) -> Sent:
        """Store a message that is answered at once by the daemon itself, without a runner.

        For slash commands: the run has its ``chat.accepted``, ``chat.started`` and
        ``chat.final`` when this returns; the final's message has the stop reason
        ``injected``. States, keys and errors as ``send``.
        """
        raise NotImplementedError

    async def import_session(self, caller: Principal, request: ImportRequest) -> Imported:
        """Take over a conversation that was held elsewhere; a second time changes nothing.

        Imported messages stand before those of this daemon; where the session exists, its
        own fields win.

        Raises:
            Forbidden: The caller is not an administrator.
            InvalidRequest: A message is not an object with a ``role``; the key is unusable.
        """
        raise NotImplementedError

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
        raise NotImplementedError

    def running(self, session_key: str | None = None) -> list[Running]:
        """Give the turns of a session, or of all, that have not ended; oldest first."""
        raise NotImplementedError

    def spelling(self, run_id: str) -> str | None:
        """Give the session key of a run as its sender wrote it.

        Known from ``chat.accepted`` until the run's last event has been told; ``None`` before
        and after.
        """
        raise NotImplementedError

    def so_far(self, patterns: Iterable[str]) -> list[Event]:
        """Give one ephemeral ``chat.delta`` for each running turn under these topics.

        For who joins late: it has the whole text so far, as ``text`` and as ``delta``.
        """
        raise NotImplementedError
