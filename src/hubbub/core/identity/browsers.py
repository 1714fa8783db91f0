"""Browsers: a ticket for one use opens the page, and becomes a token that lives with its use.

A link carries a ticket, never a token: what stays behind in a history or a log opens nothing
any more. Both are kept as digests; the store decides who redeems a ticket first.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple, TypeVar

import msgspec

from hubbub.core.idempotency import digest, once
from hubbub.core.identity.derived import Made, Secret, sha256
from hubbub.core.journal import Journal
from hubbub.core.limits import Limits
from hubbub.core.ports import Row, Settled, Store, Transaction, Unit
from hubbub.core.values import OPERATOR, Clock, Principal, Scope
from hubbub.errors import Conflict, InvalidRequest, Unauthorized


T = TypeVar("T")

LONGEST_TICK_S = 60.0
"""Seconds after which it is stored at the latest that a token was used."""
SCOPES: tuple[Scope, ...] = ("read", "write")
"""What a browser may do where nobody says otherwise."""
UNKNOWN = (
    "this ticket opens nothing: it was used, has expired, or was never made; "
    "`hubbub open` makes another"
)

REDEEMER = Principal(name="browser", kind="person", scopes=frozenset())
"""Whose idempotency keys those of browsers are that have no token yet."""


class Ticket(msgspec.Struct, frozen=True):
    """Opens the page once: it is redeemed for a browser token."""

    ticket: str
    expires_at: int
    """Unix time in milliseconds."""


class BrowserToken(msgspec.Struct, frozen=True):
    """What a ticket was redeemed for; the only time that it is shown."""

    token: str
    principal: str
    scopes: tuple[Scope, ...]
    expires_at: int
    """Unix time in milliseconds, if it is not used before; each use puts it off."""


class _Ticketed(msgspec.Struct, frozen=True):
    """What is kept of a ticket that was made under an idempotency key."""

    made: Made
    expires_at: int


class _Redeemed(NamedTuple):
    """What became of a ticket."""

    made: Made
    row: Row | None
    """The token's, if it is not revoked."""
    over: list[str]
    """Digests of tokens that had to go for it."""


class Browser:
    """One browser token that is alive."""

    __slots__ = ("created_at", "open", "principal", "stored_at", "used_at")

    def __init__(self, principal: Principal, created_at: int, used_at: int) -> None:
        """Begin as the store has it."""
        self.principal = principal
        self.created_at = created_at
        self.used_at = self.stored_at = used_at
        self.open: set[Stay] = set()
        """Connections that were opened with it, and are open: as long it is in use."""


class Stay:
    """One open connection of a browser."""

    __slots__ = ("_browser", "_clock")

    def __init__(self, browser: Browser, clock: Clock) -> None:
        """Begin."""
        self._browser, self._clock = browser, clock
        browser.open.add(self)

    def leave(self) -> None:
        """End: from now on the token's time runs."""
        self._browser.open.discard(self)
        self._browser.used_at = self._clock()


class Browsers:
    """Tickets, and the tokens that browsers got for them."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        clock: Clock,
        secret: Secret,
        limits: Limits,
        *,
        void: Callable[[Collection[str], str], None],
    ) -> None:
        """Begin with none; ``load`` adds the stored ones.

        Args:
            void: Ends what tokens have opened, and is told why.
        """
        self._void = void
        self._journal = journal
        self._store = store
        self._clock = clock
        self._secret = secret
        self._ticket_ms = int(limits.ticket_ttl_s * 1000)
        self._token_ms = int(limits.browser_token_s * 1000)
        self._most = limits.browser_tokens
        self.tick_s = min(LONGEST_TICK_S, limits.browser_token_s / 10)
        """Seconds between two calls of ``tick``."""
        self._alive: dict[str, Browser] = {}

    def __len__(self) -> int:
        """Count the tokens that are alive."""
        return sum(1 for browser in self._alive.values() if not self._has_ended(browser))

    async def load(self) -> None:
        """Read the tokens from the store."""
        for row in await self._store.rows("browser_all"):
            self._alive[str(row[0])] = _browser(row)

    def principal(self, shown: str) -> Principal | None:
        """Find out for whom a browser acts, by the digest of its token; that is a use of it."""
        browser = self._alive.get(shown)
        if browser is None or self._has_ended(browser):
            return None
        browser.used_at = self._clock()
        return browser.principal

    def enter(self, principal: Principal) -> Stay | None:
        """Note a connection that a principal has opened; ``None``: it is no browser's."""
        browser = self._alive.get(principal.token)
        return None if browser is None else Stay(browser, self._clock)

    def alive(self) -> list[tuple[str, Browser, int]]:
        """Give the tokens' digests, what is known of them, and when each ends."""
        return [
            (shown, browser, browser.used_at + self._token_ms)
            for shown, browser in self._alive.items()
            if not self._has_ended(browser)
        ]

    async def ticket(
        self, caller: Principal, scopes: tuple[Scope, ...] = SCOPES, *, key: str | None = None
    ) -> Ticket:
        """Make a ticket for a browser that acts as the operator with these scopes.

        Args:
            key: Idempotency key: a retry under it is shown the same ticket.

        Raises:
            Forbidden: The caller is not an administrator.
            InvalidRequest: There is no scope.
            IdempotencyConflict: The key was used for another request.
            Conflict: The ticket of this key was made under another operator's token.
        """
        caller.require("admin")
        if not scopes:
            message = "scopes is empty: name read, write or admin"
            raise InvalidRequest(message)
        words, new = " ".join(dict.fromkeys(scopes)), self._secret.make()

        def make(tx: Transaction) -> _Ticketed:
            now = self._clock()
            ends_at = now + self._ticket_ms
            tx.execute("ticket_sweep", now=now)
            tx.execute("ticket_put", digest=new.digest, scopes=words, expires_at=ends_at)
            tx.execute("ticket_trim", most=self._most)
            return _Ticketed(made=new, expires_at=ends_at)

        request = digest("tokens.ticket", words)
        made = await self._journal.commit(
            once(
                make,
                caller=caller,
                key=key,
                request=request,
                result=_Ticketed,
                clock=self._clock,
            )
        )
        return Ticket(self._shown(made.made, key), made.expires_at)

    async def redeem(self, ticket: str, *, key: str | None = None) -> BrowserToken:
        """Give a browser token for a ticket; of all who try, the first gets it.

        Args:
            key: Idempotency key: a retry of the same ticket under it is shown the same token.
                Who else has the link does not know the key.

        Raises:
            Unauthorized: The ticket opens nothing, or its token has ended since.
        """
        new, used = self._secret.make(), sha256(ticket)

        def redeem(tx: Transaction) -> Made:
            now, row = self._clock(), tx.row("ticket_get", digest=used)
            if row is None or row[1] <= now:
                raise Unauthorized(UNKNOWN)
            tx.execute("ticket_delete", digest=used)
            tx.execute("browser_put", digest=new.digest, scopes=row[0], at=now)
            return new

        unit = once(
            redeem,
            caller=REDEEMER,
            key=key,
            request=digest("tokens.redeem", used),
            result=Made,
            clock=self._clock,
        )
        made = (await self._done(self._within(unit), self._took)).made
        token, browser = self._shown(made, key), self._alive.get(made.digest)
        if browser is None or self._has_ended(browser):
            raise Unauthorized(UNKNOWN)
        return BrowserToken(
            token=token,
            principal=browser.principal.id,
            scopes=tuple(sorted(browser.principal.scopes)),
            expires_at=browser.used_at + self._token_ms,
        )

    def forget(self, digests: Iterable[str]) -> None:
        """Let nobody in by tokens that were deleted from the store."""
        for shown in digests:
            self._alive.pop(shown, None)

    def tick(self) -> None:
        """Store which tokens were used, and forget those whose time is over."""
        now = self._clock()
        for shown, browser in tuple(self._alive.items()):
            if browser.open:
                browser.used_at = now
            elif self._has_ended(browser):
                del self._alive[shown]
        used = {
            shown: browser.used_at
            for shown, browser in self._alive.items()
            if browser.used_at > browser.stored_at
        }
        if used:
            self._journal.submit(self._note(used), self._noted(used))

    def _note(self, used: dict[str, int]) -> Unit[None]:
        def note(tx: Transaction) -> None:
            for shown, at in used.items():
                tx.execute("browser_used", digest=shown, at=at)
            tx.execute("browser_sweep", before=self._clock() - self._token_ms)

        return note

    def _noted(self, used: dict[str, int]) -> Callable[[Settled], None]:
        def noted(settled: Settled) -> None:
            for shown, at in used.items():
                browser = self._alive.get(shown)
                if settled.error is None and browser is not None:
                    browser.stored_at = at

        return noted

    def _within(self, unit: Unit[Made]) -> Unit[_Redeemed]:
        """Give what a unit made with its row in the store, and keep within the maximum."""

        def run(tx: Transaction) -> _Redeemed:
            made = unit(tx)
            over = [str(row[0]) for row in tx.rows("browser_over", most=self._most)]
            for shown in over:
                tx.execute("browser_delete", digest=shown)
            return _Redeemed(made, tx.row("browser_get", digest=made.digest), over)

        return run

    def _took(self, redeemed: _Redeemed) -> None:
        """Take a new token into memory."""
        self.forget(redeemed.over)
        self._void(redeemed.over, "another browser came, and this one was used longest ago")
        if redeemed.row is not None:  # else it was revoked since
            self._alive.setdefault(redeemed.made.digest, _browser(redeemed.row))

    def _shown(self, made: Made, key: str | None) -> str:
        token = self._secret.shown(made)
        if token is None:
            message = (
                f"what key {key!r} made was made under another operator's token and cannot be "
                "shown again; use a new key"
            )
            raise Conflict(message)
        return token

    def _has_ended(self, browser: Browser) -> bool:
        return not browser.open and browser.used_at + self._token_ms <= self._clock()

    async def _done(self, unit: Unit[T], apply: Callable[[T], None]) -> T:
        """Run a unit and bring memory up to it, also where nobody waits for the answer any more."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def done(settled: Settled) -> None:
            if settled.error is None:
                apply(settled.value)
            settled.answer(future)

        self._journal.submit(unit, done)
        return await future


def _browser(row: Row) -> Browser:
    scopes: frozenset[Scope] = frozenset(row[1].split())
    principal = Principal(name=OPERATOR.name, kind="operator", scopes=scopes, token=str(row[0]))
    return Browser(principal, int(row[2]), int(row[3]))


def page_link(url: str, ticket: str) -> str:
    """Give the link to the page: what stands in a fragment is sent to no server."""
    return f"{url}/#ticket={ticket}"
