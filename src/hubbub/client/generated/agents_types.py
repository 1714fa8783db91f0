"""Types of `agents`.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec


class HandedTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that an agent is asked to take."""

    run_id: str
    agent: str
    session: str
    message: str
    history: Sequence[Any] = ()
    """Earlier messages of the session, oldest first, as stored."""
    attachments: Sequence[Any] = ()
    thinking: str | None = None
    timeout_s: float
    """Seconds after which the turn is aborted."""
    heard: int = 0
    """Pieces of the answer that have been heard; the next one has this number."""


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``agents.attach``."""

    agent: str
    turns: list[HandedTurn]
    """Turns that are open: those of this program's last connection, which go on."""


class Empty(msgspec.Struct, frozen=True, kw_only=True):
    """No parameters."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``agents.identity``."""

    agent: str
    agent_id: str
    machine_id: str
    public_key: str
    """ML-DSA-65 key that the id is made of; base64."""
    kem_public_key: str
    """ML-KEM-768 key; base64."""
