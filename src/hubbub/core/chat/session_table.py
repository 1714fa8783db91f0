"""Sessions in the store, as part of a unit of work; everything here runs on the writer thread."""

from typing import Any

import msgspec

from hubbub.core.chat.conversation import (
    Session,
    SessionChange,
    SessionChanged,
    SessionInfo,
)
from hubbub.core.chat.session_keys import agent_of, topic_of
from hubbub.core.ports import Row, Transaction


NEW_FIELDS = {"lastChannel": "webchat", "deliveryContext": {"channel": "webchat"}}
"""Fields of a session that its first message makes: clients of chat sessions expect a route."""


def session_of(row: Row) -> Session:
    """Make a session of a row of ``chat_session_get`` and its kin."""
    key, agent, session_id, updated_at, fields = row
    return Session(
        key=key,
        agent=agent,
        session_id=session_id,
        updated_at=updated_at,
        fields=msgspec.json.decode(fields),
    )


def find_in(tx: Transaction, key: str) -> Session | None:
    """Give a session as it stands within a unit."""
    row = tx.row("chat_session_get", session_key=key)
    return None if row is None else session_of(row)


def get_in(tx: Transaction, key: str) -> Session:
    """Give a session that is known to exist: one with open turns always does."""
    return session_of(tx.rows("chat_session_get", session_key=key)[0])


def new_session(key: str, session_id: str, fields: dict[str, Any], *, at: int) -> Session:
    """Give a session that is not stored yet."""
    return Session(
        key=key, agent=agent_of(key), session_id=session_id, updated_at=at, fields=fields
    )


def put_in(tx: Transaction, session: Session) -> None:
    """Store a session as it is now."""
    label = session.fields.get("label")
    tx.execute(
        "chat_session_put",
        session_key=session.key,
        agent=session.agent,
        session_id=session.session_id,
        updated_at=session.updated_at,
        label=label if isinstance(label, str) else None,
        fields=msgspec.json.encode(session.fields),
    )


def label_is_used_in(tx: Transaction, label: str, *, but_by: str) -> bool:
    """Say whether another session has this label."""
    return any(row[0] != but_by for row in tx.rows("chat_session_labelled", label=label))


def touch_in(tx: Transaction, session: Session, *, at: int, **fields: object) -> SessionInfo:
    """Store that a session changed, and new values of some fields; gives it as it is then."""
    session = msgspec.structs.replace(session, updated_at=at, fields={**session.fields, **fields})
    put_in(tx, session)
    return session.info()


def tell_in(tx: Transaction, session: Session, change: SessionChange, *, actor: str) -> None:
    """Record that a session changed."""
    data = SessionChanged(session_key=session.key, change=change, session=session.info())
    tx.append(topic_of(session.key), "chat.session", data, actor=actor)


def delete_in(tx: Transaction, session: Session, *, with_transcript: bool, actor: str) -> None:
    """Delete a session and record that."""
    tx.execute("chat_session_delete", session_key=session.key)
    tx.execute("chat_import_forget", session_key=session.key)
    if with_transcript:
        tx.execute("chat_message_delete", session_id=session.session_id)
    data = SessionChanged(
        session_key=session.key,
        change="deleted",
        session=None,
        deleted_transcript=session.session_id if with_transcript else msgspec.UNSET,
    )
    tx.append(topic_of(session.key), "chat.session", data, actor=actor)
