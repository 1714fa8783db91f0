"""Taking over conversations that were held elsewhere, so that a second time changes nothing."""

from typing import Any

import msgspec

from hubbub.core.chat import session_table
from hubbub.core.chat.conversation import Imported, ImportRequest, Session, SessionChange
from hubbub.core.chat.session_keys import canonical
from hubbub.core.chat.transcript import Transcript
from hubbub.core.idempotency import digest, once
from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction
from hubbub.core.values import Clock, Principal
from hubbub.errors import InvalidRequest


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
            added = sum(
                self._transcript.import_in(
                    tx, target, theirs.session_id, request.offset + number, message
                )
                for number, message in enumerate(request.messages)
            )
            return Imported(session_key=theirs.key, created=created, added=added)

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
        session_table.tell_in(tx, theirs.key, change, actor=actor)
        return ours is None, session.session_id


def _merged(ours: Session | None, theirs: Session) -> Session:
    """Give the session after an import: what it says of itself here counts."""
    if ours is None:
        return theirs
    return msgspec.structs.replace(ours, fields={**theirs.fields, **ours.fields})
