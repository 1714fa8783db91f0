"""The messages of conversations in the store: added, and read newest first under a cap.

What takes a transaction runs on the writer thread, inside somebody's unit.
"""

from hashlib import blake2b

import msgspec

from hubbub.core.chat.conversation import Session
from hubbub.core.chat.messages import foreign_message
from hubbub.core.chat.session_table import session_of
from hubbub.core.ports import Store, Transaction
from hubbub.core.values import IdSource


END = 2**62
"""A place after all messages."""
IMPORTED = -(2**53)
"""Place of the first message of an import: all of them stand before our own."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The newest part of a conversation as of one moment."""

    seq: int
    """Everything up to this place of the journal is in it, nothing after."""
    session: Session | None
    """``None``: there is none."""
    messages: list[msgspec.Raw]
    """Oldest first."""
    run_ids: list[str | None]
    """Of each message, the run whose question or answer it is."""


class Transcript:
    """Adds and reads messages."""

    def __init__(self, store: Store, ids: IdSource) -> None:
        """Read from a store; message ids come from an id source."""
        self._store = store
        self._ids = ids

    def add_in(
        self,
        tx: Transaction,
        session_id: str,
        role: str,
        message: msgspec.Raw,
        *,
        run_id: str | None = None,
        place: int | None = None,
    ) -> tuple[int, str]:
        """Add a message; gives its place and its id.

        Args:
            run_id: Whose question or answer it is; ``None``: nobody's.
            place: The question that it answers; ``None``: it stands at the end.
        """
        seq = next_seq(tx)
        message_id = self._message_id(tx, session_id)
        at = seq if place is None else place
        tx.execute(
            "chat_message_put",
            seq=seq,
            session_id=session_id,
            place=at,
            message_id=message_id,
            run_id=run_id,
            role=role,
            bytes=len(bytes(message)),
            message=bytes(message),
        )
        return at, message_id

    def import_in(
        self, tx: Transaction, session_id: str, source_id: str, number: int, message: msgspec.Raw
    ) -> msgspec.Raw | None:
        """Add a message of another daemon's transcript; ``None``: it was here already.

        Args:
            number: Its number within that transcript.

        Raises:
            InvalidRequest: It is not an object with a ``role``.
        """
        role, data = foreign_message(message)
        print_ = blake2b(data, digest_size=8).hexdigest()
        added = tx.execute(
            "chat_message_import",
            session_id=session_id,
            place=IMPORTED + number,
            message_id=self._message_id(tx, session_id),
            origin=f"{source_id}:{number}:{print_}",
            role=role,
            bytes=len(data),
            message=data,
        )
        return msgspec.Raw(data) if added else None

    async def newest(self, session_id: str, *, limit: int, max_bytes: int) -> list[msgspec.Raw]:
        """Read the newest messages, oldest first."""
        rows = await self._store.rows(
            "chat_history", session_id=session_id, before=END, limit=limit, max_bytes=max_bytes
        )
        return [msgspec.Raw(row[0]) for row in rows]

    async def snapshot(self, session_key: str, *, limit: int, max_bytes: int) -> Snapshot:
        """Read a session's newest messages as of one place in the journal."""
        seq, (sessions, found) = await self._store.together(
            [
                ("chat_session_get", {"session_key": session_key}),
                (
                    "chat_history_of",
                    {"session_key": session_key, "limit": limit, "max_bytes": max_bytes},
                ),
            ]
        )
        return Snapshot(
            seq=seq,
            session=session_of(sessions[0]) if sessions else None,
            messages=[msgspec.Raw(message) for message, _ in found],
            run_ids=[run_id for _, run_id in found],
        )

    def _message_id(self, tx: Transaction, session_id: str) -> str:
        while True:
            message_id = self._ids()[-8:]
            if tx.row("chat_message_known", session_id=session_id, message_id=message_id) is None:
                return message_id


def before_in(
    tx: Transaction, session_id: str, place: int, *, limit: int, max_bytes: int
) -> list[msgspec.Raw]:
    """Read the newest messages that stand before a place, oldest first."""
    rows = tx.rows(
        "chat_history", session_id=session_id, before=place, limit=limit, max_bytes=max_bytes
    )
    return [msgspec.Raw(row[0]) for row in rows]


def message_in(tx: Transaction, place: int) -> msgspec.Raw:
    """Read the user's message at a place."""
    return msgspec.Raw(tx.rows("chat_message_get", seq=place)[0][0])


def next_seq(tx: Transaction) -> int:
    """Give the number that the next message gets."""
    return int(tx.rows("chat_message_next")[0][0])
