"""Tickets that open the page once, and the tokens that browsers get for them."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from hubbub.core.identity.access import Access
from hubbub.core.identity.browsers import BrowserToken, page_link
from hubbub.core.journal import Journal
from hubbub.core.limits import Limits
from hubbub.core.values import OPERATOR, Principal, Scope
from hubbub.errors import (
    Conflict,
    Forbidden,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    StoreUnavailable,
    Unauthorized,
)
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock


SECRET = "s" * 64
ALICE = Principal(name="alice", scopes=frozenset(("read", "write")))
HOURS_MS = 43_200_000
"""Twelve hours, after which an unused token has ended."""


@pytest.fixture
def access(journal: Journal, store: SqliteStore, clock: ManualClock) -> Access:
    """Give the service with one operator token."""
    return Access(journal, store, clock, SECRET)


async def browser(access: Access) -> BrowserToken:
    """Make a ticket and redeem it."""
    made = await access.browsers.ticket(OPERATOR)
    return await access.browsers.redeem(made.ticket)


def known(access: Access, token: str) -> Principal:
    """Give the principal of a token that lets somebody in."""
    principal = access.principal(token)
    assert principal is not None
    return principal


def voided(access: Access) -> list[tuple[str, str]]:
    """Give the list of tokens that become void from now on: first characters of a digest, why."""
    told: list[tuple[str, str]] = []
    access.when_void(lambda gone, why: told.extend((each[:12], why) for each in gone))
    return told


async def later(journal: Journal, store: SqliteStore, clock: ManualClock) -> Access:
    """Give the service of a later daemon on the same store."""
    access = Access(journal, store, clock, SECRET)
    await access.load()
    return access


async def test_ticket_becomes_a_token_of_the_operator(access: Access, clock: ManualClock) -> None:
    """It may read and write, not administer, and says when it ends."""
    got = await browser(access)

    found = known(access, got.token)
    assert (found.id, found.scopes) == ("operator", frozenset(("read", "write")))
    assert access.durable(got.token) is None
    assert (got.principal, got.scopes) == ("operator", ("read", "write"))
    assert got.expires_at == clock.now + HOURS_MS
    assert len(access.browsers) == 1
    assert page_link("http://h:1", "t") == "http://h:1/#ticket=t"


@pytest.mark.parametrize("scopes", [("read",), ("read", "write", "admin")])
async def test_ticket_has_the_scopes_that_were_asked_for(
    access: Access, scopes: tuple[Scope, ...]
) -> None:
    """Neither more nor less."""
    made = await access.browsers.ticket(OPERATOR, scopes)
    got = await access.browsers.redeem(made.ticket)

    assert known(access, got.token).scopes == frozenset(got.scopes) == frozenset(scopes)


async def test_ticket_is_made_by_administrators_for_some_scope(access: Access) -> None:
    """An agent makes none, and one that opens nothing is refused."""
    with pytest.raises(Forbidden):
        await access.browsers.ticket(ALICE)
    with pytest.raises(InvalidRequest, match="scopes is empty"):
        await access.browsers.ticket(OPERATOR, ())


async def test_ticket_is_redeemed_once_by_the_first_of_many(access: Access) -> None:
    """The store decides; all others are refused."""
    made = await access.browsers.ticket(OPERATOR)
    redeem = access.browsers.redeem

    got = await asyncio.gather(*(redeem(made.ticket) for _ in range(8)), return_exceptions=True)

    assert [type(each) for each in got] == [BrowserToken] + [Unauthorized] * 7
    assert len(access.browsers) == 1


async def test_ticket_works_until_its_time_is_over(access: Access, clock: ManualClock) -> None:
    """For ten minutes; one that was never made does not work at all."""
    first, second = [await access.browsers.ticket(OPERATOR) for _ in range(2)]
    assert first.expires_at == clock.now + 600_000
    clock.advance(600_000 - 1)
    await access.browsers.redeem(first.ticket)

    clock.advance(1)

    for ticket in (second.ticket, "0" * 64, ""):
        with pytest.raises(Unauthorized, match="hubbub open"):
            await access.browsers.redeem(ticket)


async def test_store_holds_nothing_that_opens(access: Access, store_path: Path) -> None:
    """Neither ticket nor token can be read from it, also not from a kept answer."""
    unused = await access.browsers.ticket(OPERATOR)
    made = await access.browsers.ticket(OPERATOR, key="t")
    got = await access.browsers.redeem(made.ticket, key="k")

    with contextlib.closing(sqlite3.connect(store_path)) as db:
        dump = "\n".join(db.iterdump())
    assert dump.count('INSERT INTO "idempotency"') == 2
    for secret in (unused.ticket, made.ticket, got.token):
        assert secret not in dump
        assert secret.encode().hex() not in dump.lower()


async def test_retry_under_its_key_is_shown_the_same(
    access: Access, journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """A browser that never saw the answer asks again, also a later daemon; others cannot."""
    made = await access.browsers.ticket(OPERATOR, key="t")
    assert await access.browsers.ticket(OPERATOR, key="t") == made
    got = await access.browsers.redeem(made.ticket, key="k")
    again = await later(journal, store, clock)

    assert await access.browsers.redeem(made.ticket, key="k") == got
    assert await again.browsers.redeem(made.ticket, key="k") == got
    for key in (None, "another"):
        with pytest.raises(Unauthorized):
            await again.browsers.redeem(made.ticket, key=key)
    with pytest.raises(IdempotencyConflict):
        await again.browsers.redeem("0" * 64, key="k")


async def test_retry_after_the_token_has_ended_is_refused(access: Access) -> None:
    """What was revoked is not shown as if it worked."""
    made = await access.browsers.ticket(OPERATOR)
    await access.browsers.redeem(made.ticket, key="k")
    await access.revoke(OPERATOR, "operator")

    with pytest.raises(Unauthorized):
        await access.browsers.redeem(made.ticket, key="k")


async def test_retry_after_the_tokens_time_is_refused(access: Access, clock: ManualClock) -> None:
    """It would be shown a token that opens nothing."""
    made = await access.browsers.ticket(OPERATOR)
    await access.browsers.redeem(made.ticket, key="k")
    clock.advance(HOURS_MS)

    with pytest.raises(Unauthorized):
        await access.browsers.redeem(made.ticket, key="k")


async def test_tickets_whose_time_is_over_leave_the_store(
    access: Access, clock: ManualClock, store_path: Path
) -> None:
    """The next ticket sweeps them away."""
    for _ in range(3):
        await access.browsers.ticket(OPERATOR)
        clock.advance(600_000)

    with contextlib.closing(sqlite3.connect(store_path)) as db:
        assert db.execute("SELECT count(*) FROM tickets").fetchone() == (1,)


async def test_retry_under_another_operators_token_is_a_conflict(
    access: Access, journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """A ticket that cannot be derived any more is told so, not made up."""
    await access.browsers.ticket(OPERATOR, key="t")
    other = Access(journal, store, clock, "o" * 64)

    with pytest.raises(Conflict, match="use a new key"):
        await other.browsers.ticket(OPERATOR, key="t")


async def test_token_lives_as_long_after_its_last_use(
    access: Access, clock: ManualClock, journal: Journal, store: SqliteStore
) -> None:
    """Each use puts the end off, also that a killed daemon had noted."""
    token = (await browser(access)).token
    clock.advance(HOURS_MS - 1)
    principal = known(access, token)
    access.browsers.tick()
    await journal.settled()
    clock.advance(HOURS_MS - 1)
    assert access.principal(token) is not None

    again = await later(journal, store, clock)
    assert again.principal(token) is not None
    clock.advance(HOURS_MS)

    assert access.principal(token) is None
    assert again.principal(token) is None
    assert len(access.browsers) == 0
    assert await access.list(OPERATOR) == []
    access.browsers.tick()
    assert access.browsers.enter(principal) is None


async def test_token_that_has_ended_leaves_the_store(
    access: Access, clock: ManualClock, journal: Journal, store: SqliteStore
) -> None:
    """The row goes with the next note of a use; a store that refuses is asked again."""
    await browser(access)
    clock.advance(HOURS_MS)
    token = (await browser(access)).token
    clock.advance(1)
    assert access.principal(token) is not None
    access.browsers.tick()
    await journal.settled()

    assert len(await store.rows("browser_all")) == 1
    submitted = journal.waiting
    access.browsers.tick()
    assert journal.waiting == submitted


async def test_open_connection_keeps_its_token_alive(access: Access, clock: ManualClock) -> None:
    """Its time runs from the moment in which the last of them ends."""
    token = (await browser(access)).token
    stay = access.browsers.enter(known(access, token))
    assert stay is not None
    clock.advance(2 * HOURS_MS)
    access.browsers.tick()
    clock.advance(2 * HOURS_MS)
    assert len(access.browsers) == 1

    stay.leave()
    clock.advance(HOURS_MS - 1)
    access.browsers.tick()
    assert len(access.browsers) == 1
    clock.advance(1)

    assert access.principal(token) is None


async def test_open_connection_is_a_use_that_a_later_daemon_knows(
    access: Access, clock: ManualClock, journal: Journal, store: SqliteStore
) -> None:
    """The page that was open when the daemon was killed comes back by itself."""
    token = (await browser(access)).token
    access.browsers.enter(known(access, token))
    clock.advance(2 * HOURS_MS)
    access.browsers.tick()
    await journal.settled()

    assert (await later(journal, store, clock)).principal(token) is not None


async def test_others_connections_keep_nothing_alive(access: Access) -> None:
    """An agent's token, or none, is no browser's."""
    alice = known(access, await access.create(OPERATOR, "alice"))
    assert access.browsers.enter(alice) is None
    assert access.browsers.enter(OPERATOR) is None


async def test_use_that_could_not_be_stored_is_stored_later(
    journal: Journal, store: SqliteStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk costs a browser nothing."""
    access = Access(journal, store, clock, SECRET)
    token = (await browser(access)).token
    clock.advance(1)
    access.principal(token)
    with monkeypatch.context() as patched:
        patched.setattr(store, "_commit", _refuse)
        access.browsers.tick()
        await journal.settled()
    access.browsers.tick()
    await journal.settled()

    (row,) = await store.rows("browser_all")
    assert row[3] == clock.now


def _refuse(_batch: object) -> None:
    raise StoreUnavailable("full")


async def test_use_of_a_token_that_was_revoked_meanwhile_is_forgotten(
    access: Access, clock: ManualClock, journal: Journal, store: SqliteStore
) -> None:
    """A note that is on its way brings nothing back."""
    token = (await browser(access)).token
    clock.advance(1)
    access.principal(token)
    access.browsers.tick()
    await access.revoke(OPERATOR, "operator")
    await journal.settled()

    assert await store.rows("browser_all") == []
    assert access.principal(token) is None


async def test_browsers_are_listed_and_revoked(
    access: Access, clock: ManualClock, journal: Journal, store: SqliteStore
) -> None:
    """One by its id, all by the operator's name; what they have open is closed."""
    first, second = [await browser(access) for _ in range(2)]
    told = voided(access)
    infos = await access.list(OPERATOR)
    assert [(i.agent, i.kind, i.scopes) for i in infos] == [
        ("operator", "browser", ("read", "write"))
    ] * 2
    assert {info.expires_at for info in infos} == {clock.now + HOURS_MS}

    for info in infos:
        assert await access.revoke(OPERATOR, info.id) == 1

    assert told == [(info.id, "this token was revoked") for info in infos]
    assert access.principal(first.token) is access.principal(second.token) is None
    assert (await later(journal, store, clock)).principal(second.token) is None
    with pytest.raises(NotFound):
        await access.revoke(OPERATOR, "operator")


async def test_revoking_the_operators_name_voids_tickets(access: Access) -> None:
    """A link that somebody else may have seen can be taken back."""
    made = await access.browsers.ticket(OPERATOR)

    assert await access.revoke(OPERATOR, "operator") == 0

    with pytest.raises(Unauthorized):
        await access.browsers.redeem(made.ticket)


async def test_browser_used_longest_ago_goes_for_a_new_one(
    journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """Over the maximum; its connections are closed. Tickets have the same maximum."""
    access = Access(journal, store, clock, SECRET, limits=Limits(browser_tokens=2))
    tokens = []
    told = voided(access)
    for _ in range(3):
        tokens.append((await browser(access)).token)
        clock.advance(1)

    assert [access.principal(token) is None for token in tokens] == [True, False, False]
    ((_, why),) = told
    assert "another browser came" in why
    again = await later(journal, store, clock)
    assert [again.principal(token) is None for token in tokens] == [True, False, False]
    tickets = []
    for _ in range(3):
        tickets.append((await access.browsers.ticket(OPERATOR)).ticket)
        clock.advance(1)
    with pytest.raises(Unauthorized):
        await access.browsers.redeem(tickets[0])
    await access.browsers.redeem(tickets[1])


async def test_answer_that_nobody_waits_for_makes_the_token_all_the_same(
    access: Access, journal: Journal
) -> None:
    """The browser's connection broke while its ticket was redeemed: its retry finds the token."""
    made = await access.browsers.ticket(OPERATOR)
    asked = asyncio.ensure_future(access.browsers.redeem(made.ticket, key="k"))
    await asyncio.sleep(0)
    asked.cancel()
    await journal.settled()

    assert len(access.browsers) == 1
    got = await access.browsers.redeem(made.ticket, key="k")
    assert access.principal(got.token) is not None
