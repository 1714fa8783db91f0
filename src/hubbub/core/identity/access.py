"""Who is calling: tokens, and the principals that they stand for.

Tokens are kept as SHA-256 digests and looked up by digest: the comparison with a secret never
ends early.
"""

import secrets
from collections.abc import Callable, Collection
from typing import Literal

import msgspec

from hubbub.core.idempotency import digest, once
from hubbub.core.identity.browsers import Browsers
from hubbub.core.identity.derived import Made, Secret, sha256
from hubbub.core.journal import Journal
from hubbub.core.limits import DEFAULT_LIMITS, Limits
from hubbub.core.ports import Row, Store, Transaction, Unit
from hubbub.core.values import OPERATOR, Clock, Principal, Scope
from hubbub.errors import Conflict, InvalidRequest, NotFound


MAX_NAME_CHARACTERS = 128
"""Length of an agent's name at most."""

WhenVoid = Callable[[Collection[str], str], None]
"""Is told the digests of tokens that let nobody in any more, and why."""


class TokenInfo(msgspec.Struct, frozen=True):
    """What may be shown of a token: everything but the token."""

    id: str
    """First 12 characters of its digest."""
    agent: str
    """``operator``: it is a browser's."""
    scopes: tuple[Scope, ...]
    created_at: int
    """Unix time in milliseconds."""
    kind: Literal["agent", "browser"] = "agent"
    expires_at: int | None = None
    """Unix time in milliseconds; ``None``: it lives until it is revoked."""


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
        self._operator = sha256(operator_token)
        self._secret = Secret(operator_token)
        self.browsers = Browsers(journal, store, clock, self._secret, limits, void=self._void)
        self._agents: dict[str, Principal] = {}
        self._sessions: dict[str, tuple[Principal, int]] = {}
        self._when_void: list[WhenVoid] = []

    def when_void(self, call: WhenVoid) -> None:
        """Have something called when tokens become void, so that it ends what they opened."""
        self._when_void.append(call)

    async def load(self) -> None:
        """Read the tokens of agents and browsers from the store."""
        for row in await self._store.rows("token_all"):
            self._agents[str(row[0])] = _principal(row)
        await self.browsers.load()

    def principal(self, token: str) -> Principal | None:
        """Find out whose token this is; ``None`` if it is nobody's."""
        shown = sha256(token)
        if secrets.compare_digest(shown, self._operator):
            return OPERATOR
        found = self._agents.get(shown)
        if found is not None:
            return found
        return self.browsers.principal(shown) or self._session(shown)

    def durable(self, token: str) -> Principal | None:
        """Find out whose token this is, short-lived ones and browsers' left out."""
        shown = sha256(token)
        if self._session(shown) or self.browsers.principal(shown):
            return None
        return self.principal(token)

    @property
    def sessions(self) -> int:
        """Short-lived tokens that are remembered."""
        return len(self._sessions)

    def open_session(self, principal: Principal) -> str:
        """Make a short-lived token, in memory only."""
        token = secrets.token_hex(32)
        now = self._clock()
        self._sessions[sha256(token)] = (principal, now + self.session_ms)
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
        new, words = self._secret.make(), " ".join(scopes)

        def create(tx: Transaction) -> Made:
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
                    result=Made,
                    clock=self._clock,
                )
            )
        )
        token = self._secret.shown(made)
        if token is None:
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
        """Show the tokens of agents and browsers, without the secrets."""
        caller.require("admin")
        rows = await self._store.rows("token_all")
        agents = [
            TokenInfo(id=row[0][:12], agent=row[1], scopes=tuple(row[2].split()), created_at=row[3])
            for row in rows
        ]
        return agents + [
            TokenInfo(
                id=shown[:12],
                agent=OPERATOR.name,
                scopes=tuple(sorted(browser.principal.scopes)),
                created_at=browser.created_at,
                kind="browser",
                expires_at=ends_at,
            )
            for shown, browser, ends_at in self.browsers.alive()
        ]

    async def revoke(self, caller: Principal, token_id: str, *, key: str | None = None) -> int:
        """Make tokens void: the one with this id, or all of the agent with this name.

        The name `operator` stands for all browsers, and the tickets that nobody has redeemed.
        What they have open is closed, and short-lived tokens that were given for them end too.

        Args:
            key: Idempotency key.

        Raises:
            NotFound: There is neither such a token nor such an agent.
            IdempotencyConflict: The key was used for another request.
        """
        caller.require("admin")

        def revoke(tx: Transaction) -> list[str]:
            agents = [(row[0], row[1]) for row in tx.rows("token_all")]
            browsers = [(row[0], OPERATOR.name) for row in tx.rows("browser_all")]
            tokens = agents + browsers
            digests = [shown for shown, name in tokens if token_id in (shown[:12], name)]
            tickets = tx.execute("ticket_delete_all") if token_id == OPERATOR.name else 0
            if not digests and not tickets:
                raise NotFound("token", token_id)
            for each in digests:
                tx.execute("token_delete", digest=each)
                tx.execute("browser_delete", digest=each)
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
        self.browsers.forget(revoked)
        self._void(revoked, "this token was revoked")
        return len(revoked)

    def _void(self, digests: Collection[str], why: str) -> None:
        """End what tokens have opened that are not in the store any more."""
        gone = frozenset(digests)
        if not gone:
            return
        for shown, (principal, _) in tuple(self._sessions.items()):
            if principal.token in gone:
                del self._sessions[shown]
        for call in self._when_void:
            call(gone, why)

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


def _with_row(unit: Unit[Made]) -> Unit[tuple[Made, Row | None]]:
    """Give what a unit made with its row in the store: a retry may come after a revocation."""

    def run(tx: Transaction) -> tuple[Made, Row | None]:
        made = unit(tx)
        return made, tx.row("token_get", digest=made.digest)

    return run


def _principal(row: Row) -> Principal:
    return Principal(
        name=str(row[1]), kind="agent", scopes=frozenset(row[2].split()), token=str(row[0])
    )
