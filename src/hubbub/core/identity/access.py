"""Who is calling: tokens, and the principals that they stand for.

Tokens are kept as SHA-256 digests (they are 256 random bits, so no slow hash is needed) and
looked up by digest: the comparison with a secret never ends early.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable

import msgspec

from hubbub.core.idempotency import digest, once
from hubbub.core.journal import Journal
from hubbub.core.limits import DEFAULT_LIMITS, Limits
from hubbub.core.ports import Row, Store, Transaction, Unit
from hubbub.core.values import OPERATOR, Clock, Principal, Scope
from hubbub.errors import Conflict, InvalidRequest, NotFound


MAX_NAME_CHARACTERS = 128
"""Length of an agent's name at most."""


class TokenInfo(msgspec.Struct, frozen=True):
    """What may be shown of a token: everything but the token."""

    id: str
    """First 12 characters of its digest."""
    agent: str
    scopes: tuple[Scope, ...]
    created_at: int
    """Unix time in milliseconds."""


class _Made(msgspec.Struct, frozen=True):
    """What is kept of a token that was made under an idempotency key: nothing that opens."""

    digest: str
    nonce: str
    """With the operator's token it gives the token again."""


class Access:
    """Knows the operator's token, the agents' tokens and the short-lived ones."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        clock: Clock,
        operator_token: str,
        *,
        on_agent: Callable[[str], object] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Begin with the operator's token alone; ``load`` adds the stored ones.

        Args:
            on_agent: Called with the name of each agent that gets a token.
        """
        self.session_ms = int(limits.session_token_s * 1000)
        """Milliseconds that a short-lived token lives."""
        self._max_sessions = limits.session_tokens
        self._on_agent = on_agent
        self._journal = journal
        self._store = store
        self._clock = clock
        self._operator = _digest(operator_token)
        self._secret = operator_token.encode()
        self._agents: dict[str, Principal] = {}
        self._sessions: dict[str, tuple[Principal, int]] = {}

    async def load(self) -> None:
        """Read the agents' tokens from the store."""
        for row in await self._store.rows("token_all"):
            self._agents[str(row[0])] = _principal(row)

    def principal(self, token: str) -> Principal | None:
        """Find out whose token this is; ``None`` if it is nobody's."""
        shown = _digest(token)
        if secrets.compare_digest(shown, self._operator):
            return OPERATOR
        found = self._agents.get(shown)
        if found is not None:
            return found
        return self._session(shown)

    def durable(self, token: str) -> Principal | None:
        """Find out whose token this is, short-lived ones left out."""
        found = self.principal(token)
        return None if found is None or self._session(_digest(token)) else found

    def open_session(self, principal: Principal) -> str:
        """Make a short-lived token, in memory only."""
        token = secrets.token_hex(32)
        now = self._clock()
        self._sessions[_digest(token)] = (principal, now + self.session_ms)
        while len(self._sessions) > self._max_sessions or self._oldest_ends() <= now:
            del self._sessions[next(iter(self._sessions))]
        return token

    async def create(
        self,
        caller: Principal,
        agent: str,
        scopes: tuple[Scope, ...] = ("read", "write"),
        *,
        key: str | None = None,
    ) -> str:
        """Make a token for an agent; this is the only time that it is shown.

        Args:
            key: Idempotency key: a retry under it is shown the same token. The token is not
                stored for that; it is derived anew from the operator's and a stored nonce.

        Raises:
            Forbidden: The caller is not an administrator.
            InvalidRequest: The agent's name is empty, too long or the operator's.
            IdempotencyConflict: The key was used for another request.
            Conflict: The token of this key cannot be shown again, because the operator's
                token is another one now.
        """
        caller.require("admin")
        _check_name(agent)
        nonce, words = secrets.token_hex(32), " ".join(scopes)
        new = _Made(digest=_digest(self._derived(nonce)), nonce=nonce)

        def create(tx: Transaction) -> _Made:
            tx.execute(
                "token_put", digest=new.digest, agent=agent, scopes=words, created_at=self._clock()
            )
            return new

        made, row = await self._journal.commit(
            _with_row(
                once(
                    create,
                    caller=caller,
                    key=key,
                    request=digest("tokens.create", agent, words),
                    result=_Made,
                    clock=self._clock,
                )
            )
        )
        token = self._derived(made.nonce)
        if _digest(token) != made.digest:
            message = (
                f"the token of key {key!r} was made under another operator's token and cannot "
                f"be shown again; revoke {made.digest[:12]} and use a new key"
            )
            raise Conflict(message)
        if row is not None:  # else it was revoked since
            self._agents[made.digest] = _principal(row)
            if self._on_agent is not None:
                self._on_agent(agent)
        return token

    async def list(self, caller: Principal) -> list[TokenInfo]:
        """Show the agents' tokens, without the secrets."""
        caller.require("admin")
        rows = await self._store.rows("token_all")
        return [
            TokenInfo(id=row[0][:12], agent=row[1], scopes=tuple(row[2].split()), created_at=row[3])
            for row in rows
        ]

    async def revoke(self, caller: Principal, token_id: str, *, key: str | None = None) -> int:
        """Make tokens void: the one with this id, or all of the agent with this name.

        Args:
            key: Idempotency key.

        Raises:
            NotFound: There is neither such a token nor such an agent.
            IdempotencyConflict: The key was used for another request.
        """
        caller.require("admin")

        def revoke(tx: Transaction) -> list[str]:
            rows = tx.rows("token_all")
            digests = [row[0] for row in rows if token_id in (row[0][:12], row[1])]
            if not digests:
                raise NotFound("token", token_id)
            for each in digests:
                tx.execute("token_delete", digest=each)
            return digests

        revoked = await self._journal.commit(
            once(
                revoke,
                caller=caller,
                key=key,
                request=digest("tokens.revoke", token_id),
                result=list[str],
                clock=self._clock,
            )
        )
        for each in revoked:
            self._agents.pop(each, None)
        return len(revoked)

    def _derived(self, nonce: str) -> str:
        """Give the token of a nonce: 64 hex characters that nobody else can compute."""
        return hmac.digest(self._secret, b"hubbub token " + nonce.encode(), "sha256").hex()

    def _session(self, shown: str) -> Principal | None:
        principal, ends_at = self._sessions.get(shown, (None, 0))
        return principal if self._clock() < ends_at else None

    def _oldest_ends(self) -> int:
        return next(iter(self._sessions.values()))[1]


def _check_name(agent: str) -> None:
    if not 0 < len(agent) <= MAX_NAME_CHARACTERS:
        message = f"an agent's name has 1 to {MAX_NAME_CHARACTERS} characters"
        raise InvalidRequest(message)
    if agent == OPERATOR.name:
        message = f"the name {agent!r} is the operator's; choose another"
        raise InvalidRequest(message)


def _with_row(unit: Unit[_Made]) -> Unit[tuple[_Made, Row | None]]:
    """Give what a unit made with its row in the store: a retry may come after a revocation."""

    def run(tx: Transaction) -> tuple[_Made, Row | None]:
        made = unit(tx)
        return made, tx.row("token_get", digest=made.digest)

    return run


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _principal(row: Row) -> Principal:
    return Principal(name=str(row[1]), kind="agent", scopes=frozenset(row[2].split()))
