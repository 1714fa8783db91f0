"""Taking over conversations that were held elsewhere, so that a second time changes nothing."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from hubbub.core.chat import session_table
from hubbub.core.chat.conversation import (
    Imported,
    ImportedMessage,
    ImportedMessages,
    ImportRequest,
    Session,
    SessionChange,
)
from hubbub.core.chat.session_keys import canonical, topic_of
from hubbub.core.chat.transcript import Transcript
from hubbub.core.idempotency import digest, once
from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction
from hubbub.core.values import Clock, Principal
from hubbub.errors import InvalidRequest


MAX_EVENT_BYTES = 256 * 1024
"""Bytes of the messages of one ``chat.imported`` at most, unless a single one is larger."""


class Imports:
    """Remembers where each imported transcript went."""

    def __init__(self, journal: Journal, transcript: Transcript, clock: Clock) -> None:
        """Write through a journal."""
        self._journal = journal
        self._transcript = transcript
        self._clock = clock

    async def take_over(self, caller: Principal, request: ImportRequest) -> Imported:
        """Take over a part of a transcript, and its session's entry the first time.

        Raises: as ``Chat.import_session``.
        """
        caller.require("admin")
        theirs = self._theirs(request)

        def take_over(tx: Transaction) -> Imported:
            created, target = self._place_in(tx, theirs, caller.id)
            added = []
            for number, message in enumerate(request.messages, request.offset):
                new = self._transcript.import_in(tx, target, theirs.session_id, number, message)
                if new is not None:
                    added.append(ImportedMessage(number, new))
            for part in _parts(added):
                data = ImportedMessages(session_key=theirs.key, session_id=target, messages=part)
                tx.append(topic_of(theirs.key), "chat.imported", data, actor=caller.id)
            return Imported(session_key=theirs.key, created=created, added=len(added))

        request_digest = digest(
            "chat.import_session",
            msgspec.json.encode(msgspec.structs.replace(request, idempotency_key=None)),
        )
        return await self._journal.commit(
            once(
                take_over,
                caller=caller,
                key=request.idempotency_key,
                request=request_digest,
                result=Imported,
                clock=self._clock,
            )
        )

    def _theirs(self, request: ImportRequest) -> Session:
        """Check an entry and give the session that it describes."""
        fields = dict(request.entry)
        source: Any = fields.pop("sessionId", None)
        at: Any = fields.pop("updatedAt", None)
        if not isinstance(source, str) or not source:
            message = "an imported entry needs a sessionId"
            raise InvalidRequest(message)
        if request.offset < 0:
            message = "offset must not be negative"
            raise InvalidRequest(message)
        known_at = at if isinstance(at, int) and not isinstance(at, bool) else self._clock()
        return session_table.new_session(
            canonical(request.session_key), source, fields, at=known_at
        )

    def _place_in(self, tx: Transaction, theirs: Session, actor: str) -> tuple[bool, str]:
        """Give whether the session is new, and the transcript that takes the messages."""
        names = {"session_key": theirs.key, "source_id": theirs.session_id}
        known = tx.row("chat_import_get", **names)
        if known is not None:
            return False, known[0]
        ours = session_table.find_in(tx, theirs.key)
        session = _merged(ours, theirs)
        label = session.fields.get("label")
        if label is not None and session_table.label_is_used_in(tx, label, but_by=session.key):
            fields = {name: session.fields[name] for name in session.fields if name != "label"}
            session = msgspec.structs.replace(session, fields=fields)
        session_table.put_in(tx, session)
        tx.execute("chat_import_put", **names, session_id=session.session_id)
        change: SessionChange = "created" if ours is None else "patched"
        session_table.tell_in(tx, session, change, actor=actor)
        return ours is None, session.session_id


def _parts(messages: Sequence[ImportedMessage]) -> Iterator[list[ImportedMessage]]:
    """Cut messages into events that no subscriber chokes on, but for one that is large itself."""
    part: list[ImportedMessage] = []
    size = 0
    for message in messages:
        bytes_ = len(bytes(message.message))
        if part and size + bytes_ > MAX_EVENT_BYTES:
            yield part
            part, size = [], 0
        part.append(message)
        size += bytes_
    if part:
        yield part


def _merged(ours: Session | None, theirs: Session) -> Session:
    """Give the session after an import: what it says of itself here counts."""
    if ours is None:
        return theirs
    return msgspec.structs.replace(ours, fields={**theirs.fields, **ours.fields})
