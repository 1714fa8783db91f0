"""Conversations as things to list, name, reset and delete."""

from collections.abc import Mapping, Sequence
from typing import Any

from hubbub.core.conversation import Preview, Session, SessionFilter, SessionRow
from hubbub.core.values import Principal


class Sessions:
    """The verbs on sessions; reach them as ``hub.chat.sessions``."""

    async def get(self, session_key: str) -> Session | None:
        """Give one session; ``None`` if it does not exist.

        Raises:
            InvalidRequest: The key has no usable form.
        """
        raise NotImplementedError

    async def preview(
        self, session_keys: Sequence[str], *, limit: int = 12, max_chars: int = 240
    ) -> list[Preview]:
        """Give the end of each conversation, as short texts; oldest first.

        Args:
            session_keys: 1 to 64, in any spelling.
            limit: Messages of each, 1 to 50.
            max_chars: Characters of each message, 20 to 2,000; longer ones end in ``…``.

        Raises:
            InvalidRequest: A number is out of range.
        """
        raise NotImplementedError

    async def resolve(
        self,
        *,
        session_key: str | None = None,
        session_id: str | None = None,
        label: str | None = None,
        agent: str | None = None,
        spawned_by: str | None = None,
    ) -> str:
        """Find the canonical key of a session, by exactly one of the first three.

        Raises:
            InvalidRequest: None or several of the three are given.
            NotFound: ``NotFound("session", …)``: no session matches.
        """
        raise NotImplementedError

    async def patch(
        self,
        caller: Principal,
        session_key: str,
        changes: Mapping[str, Any],
        *,
        key: str | None = None,
    ) -> Session:
        """Change fields of a session's entry; makes the session where it is missing.

        Args:
            changes: New values under the entry's own names: ``label``, ``thinkingLevel``,
                ``verboseLevel``, ``reasoningLevel``, ``responseUsage``, ``elevatedLevel``,
                ``execHost``, ``execSecurity``, ``execAsk``, ``execNode``, ``model``,
                ``spawnedBy``, ``sendPolicy``, ``groupActivation``. ``None`` clears. ``model``
                (``provider/name`` or ``name``) is stored as ``providerOverride`` and
                ``modelOverride``.
            key: Idempotency key.

        Raises:
            InvalidRequest: ``invalid thinkingLevel (use off|minimal|low|medium|high)`` and its
                kin; ``label already in use: x``; an unknown field.
            IdempotencyConflict: The key was used for another request.
            Forbidden: The caller may not write.
        """
        raise NotImplementedError

    async def reset(
        self, caller: Principal, session_key: str, *, key: str | None = None
    ) -> Session:
        """Begin a new, empty conversation under a session's key.

        Running turns are aborted (reason ``rpc``). The old transcript is kept under its own
        session id. Label, levels, model and routing stay, token counts begin at 0. A session
        that does not exist is made.

        Raises: as ``patch``.
        """
        raise NotImplementedError

    async def delete(
        self,
        caller: Principal,
        session_key: str,
        *,
        delete_transcript: bool = True,
        key: str | None = None,
    ) -> bool:
        """Delete a session; false: there was none. Running turns are aborted (``rpc``).

        Raises:
            InvalidRequest: ``Cannot delete the main session (agent:main:main).``
            IdempotencyConflict, Forbidden: as ``patch``.
        """
        raise NotImplementedError

    async def list(self, wanted: SessionFilter) -> list[SessionRow]:
        """Give sessions, the one that changed last first."""
        raise NotImplementedError
