"""A conversation as it was: its events are walked from a place backwards, as far as is needed.

An answer comes after its question and stands below it, so at any event of the walk all messages
that stand after it are complete.
"""

import msgspec

from hubbub.core.chat.conversation import (
    Accepted,
    ImportedMessages,
    InjectedMessage,
    RunningTurn,
    SessionChanged,
)
from hubbub.core.chat.transcript import IMPORTED


class _Told(msgspec.Struct, frozen=True):
    """What is read of the other events of a chat."""

    run_id: str = ""
    message: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Walk:
    """Collects the newest messages of one transcript, and the turns that were open."""

    def __init__(self, session_id: str, *, limit: int, max_bytes: int) -> None:
        """Begin at a place; events are taken from there on backwards.

        Args:
            limit: Messages at most.
            max_bytes: Bytes of all of them as one JSON array at most; the last one is given
                in any case.
        """
        self._session_id = session_id
        self._limit = limit
        self._max_bytes = max_bytes
        self._messages: list[tuple[tuple[int, int, int], msgspec.Raw, str | None]] = []
        """Each with its place, and its number of event and message where several share one; and
        its run.
        """
        self._own = 0
        """Messages that are no imports."""
        self._own_bytes = 0
        self._answers: dict[str, list[tuple[int, msgspec.Raw]]] = {}
        self._ended: set[str] = set()
        self._started: set[str] = set()
        self._rolled_back: set[str] = set()
        self._running: list[RunningTurn] = []
        self._knows_running = False
        """No turn that was open is older than what has been walked."""
        self._is_begun = False
        """The transcript begins here."""

    @property
    def is_over(self) -> bool:
        """Nothing older is needed."""
        enough = self._own >= self._limit or self._own_bytes >= self._max_bytes
        return self._is_begun or (enough and self._knows_running)

    def take(self, seq: int, kind: str, data: bytes) -> None:
        """Take the event before the last one."""
        match kind:
            case "chat.accepted":
                self._accepted(seq, msgspec.json.decode(data, type=Accepted))
            case "chat.started":
                self._started.add(msgspec.json.decode(data, type=_Told).run_id)
            case "chat.final" | "chat.error" | "chat.aborted":
                self._end(seq, msgspec.json.decode(data, type=_Told))
            case "chat.rolled_back":
                self._rolled_back.add(msgspec.json.decode(data, type=_Told).run_id)
            case "chat.injected":
                told = msgspec.json.decode(data, type=InjectedMessage)
                if told.session.session_id == self._session_id:
                    self._add(seq, seq, told.message)
            case "chat.imported":
                self._imported(seq, msgspec.json.decode(data, type=ImportedMessages))
            case "chat.session":
                self._changed(msgspec.json.decode(data, type=SessionChanged))

    def messages(self) -> list[tuple[msgspec.Raw, str | None]]:
        """Give the newest messages, oldest first, each with its run."""
        newest = sorted(self._messages, key=lambda one: one[0], reverse=True)[: self._limit]
        kept: list[tuple[msgspec.Raw, str | None]] = []
        size = 1
        for _, message, run_id in newest:
            size += len(bytes(message)) + 1
            if kept and size > self._max_bytes:
                break
            kept.append((message, run_id))
        return kept[::-1]

    def running(self) -> list[RunningTurn]:
        """Give the turns that were open, oldest first."""
        return self._running[::-1]

    def _accepted(self, seq: int, told: Accepted) -> None:
        run_id = told.run_id
        if told.session.session_id == self._session_id and run_id not in self._rolled_back:
            self._add(seq, seq, told.message, run_id)
            for at, message in self._answers.get(run_id, ()):
                self._add(seq, at, message, run_id)
        if run_id not in self._ended:
            self._running.append(
                RunningTurn(
                    run_id=run_id,
                    session_key=told.session_key,
                    spelling=told.spelling,
                    agent=told.agent,
                    started=run_id in self._started,
                )
            )
        self._knows_running = self._knows_running or told.ahead == 0

    def _end(self, seq: int, told: _Told) -> None:
        self._ended.add(told.run_id)
        if told.message is not msgspec.UNSET:
            self._answers.setdefault(told.run_id, []).append((seq, told.message))

    def _imported(self, seq: int, told: ImportedMessages) -> None:
        if told.session_id == self._session_id:
            for number, one in enumerate(told.messages):
                place = (IMPORTED + one.number, seq, number)
                self._messages.append((place, one.message, None))

    def _changed(self, told: SessionChanged) -> None:
        begun = told.deleted_transcript
        if told.session is not None and told.change == "reset":
            begun = told.session.session_id
        self._is_begun = self._is_begun or begun == self._session_id

    def _add(self, place: int, seq: int, message: msgspec.Raw, run_id: str | None = None) -> None:
        self._messages.append(((place, seq, 0), message, run_id))
        self._own += 1
        self._own_bytes += len(bytes(message)) + 1
