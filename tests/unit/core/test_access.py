"""Tokens and the principals that they stand for."""

import pytest
from msgspec import structs

from hubbub.core.identity.access import Access
from hubbub.core.journal import Journal
from hubbub.core.limits import Limits
from hubbub.core.values import OPERATOR, Principal
from hubbub.errors import Conflict, Forbidden, IdempotencyConflict, InvalidRequest, NotFound
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock


SECRET = "s" * 64
ALICE = Principal(name="alice", scopes=frozenset(("read", "write")))


@pytest.fixture
def access(journal: Journal, store: SqliteStore, clock: ManualClock) -> Access:
    """Give the service with one operator token."""
    return Access(journal, store, clock, SECRET)


def test_operator_token_is_the_operator(access: Access) -> None:
    """The operator's token opens as the operator; another one as nobody."""
    assert access.principal(SECRET) == OPERATOR
    assert access.durable(SECRET) == OPERATOR
    assert access.principal("S" * 64) is None
    assert access.durable("nobody") is None


async def test_agent_token_survives_a_restart_and_ends_when_revoked(
    access: Access, journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """A token is known to a later daemon on the same store, and void once revoked."""
    token = await access.create(OPERATOR, "alice")
    later = Access(journal, store, clock, SECRET)
    assert later.principal(token) is None
    await later.load()

    found = access.principal(token)
    assert found is not None
    assert (found.id, found.scopes) == (ALICE.id, ALICE.scopes)
    assert later.principal(token) == found
    assert await later.revoke(OPERATOR, "alice") == 1
    assert later.principal(token) is None


async def test_tokens_are_stored_and_shown_without_the_secret(
    access: Access, store: SqliteStore, clock: ManualClock
) -> None:
    """Neither the store nor the list holds anything that opens a door."""
    token = await access.create(OPERATOR, "alice", ("read",))

    (info,) = await access.list(OPERATOR)
    (row,) = await store.rows("token_all")

    assert (info.agent, info.scopes, info.created_at) == ("alice", ("read",), clock.now)
    assert row[0].startswith(info.id)
    assert token not in str(row)


async def test_one_token_of_several_can_be_revoked_by_its_id(access: Access) -> None:
    """An id names one token; an agent's name names all of them."""
    first, second = [await access.create(OPERATOR, "alice") for _ in range(2)]
    ids = {info.id for info in await access.list(OPERATOR)}
    assert len(ids) == 2

    await access.revoke(OPERATOR, ids.pop())

    assert (access.principal(first) is None) != (access.principal(second) is None)


async def test_only_administrators_manage_tokens(access: Access) -> None:
    """An agent can neither make, see nor revoke tokens."""
    with pytest.raises(Forbidden):
        await access.create(ALICE, "bob")
    with pytest.raises(Forbidden):
        await access.list(ALICE)
    with pytest.raises(Forbidden):
        await access.revoke(ALICE, "alice")


@pytest.mark.parametrize("name", ["", "n" * 129])
async def test_agents_name_has_a_length(access: Access, name: str) -> None:
    """An agent is called by 1 to 128 characters."""
    with pytest.raises(InvalidRequest):
        await access.create(OPERATOR, name)


async def test_what_a_token_has_opened_ends_with_it(access: Access) -> None:
    """Who must close it is told; short-lived tokens that were given for it are void, no others."""
    first, second = [await access.create(OPERATOR, "alice") for _ in range(2)]
    given = []
    for token in (first, second):
        principal = access.principal(token)
        assert principal is not None
        given.append((principal.token, access.open_session(principal)))
    told: list[tuple[set[str], str]] = []
    access.when_void(lambda gone, why: told.append((set(gone), why)))

    await access.revoke(OPERATOR, given[0][0][:12])

    assert told == [({given[0][0]}, "this token was revoked")]
    assert [access.principal(session) is None for _, session in given] == [True, False]


async def test_revoking_nothing_is_an_error(access: Access) -> None:
    """A name that stands for no token is told."""
    with pytest.raises(NotFound):
        await access.revoke(OPERATOR, "nobody")


def test_session_token_lives_ten_minutes(access: Access, clock: ManualClock) -> None:
    """It stands for its maker until its time is over, and is never durable."""
    token = access.open_session(ALICE)
    clock.advance(600_000 - 1)
    assert access.principal(token) == ALICE
    assert access.durable(token) is None

    clock.advance(1)

    assert access.principal(token) is None


def test_session_tokens_are_bounded(
    journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """Over the limit the oldest goes; those whose time is over go first."""
    limits = Limits(session_tokens=2, session_token_s=1)
    access = Access(journal, store, clock, SECRET, limits=limits)
    tokens = [access.open_session(ALICE) for _ in range(3)]
    assert [access.principal(token) is None for token in tokens] == [True, False, False]

    clock.advance(1000)
    last = access.open_session(ALICE)

    assert access.principal(last) == ALICE
    assert access.sessions == 1


async def test_retry_is_shown_the_same_token(
    access: Access, journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """Under a key, now and from a later daemon; the store holds nothing that opens."""
    token = await access.create(OPERATOR, "alice", key="k")
    assert await access.create(OPERATOR, "alice", key="k") == token
    later = Access(journal, store, clock, SECRET)
    assert await later.create(OPERATOR, "alice", key="k") == token
    assert later.principal(token) is not None
    assert len(await access.list(OPERATOR)) == 1
    ((_, stored),) = await store.rows("idempotency_get", caller="operator", key="k")
    assert token.encode() not in stored


async def test_key_of_a_token_stands_for_one_agent(access: Access) -> None:
    """Another agent or other scopes under the key are a conflict; another key, another token."""
    token = await access.create(OPERATOR, "alice", key="k")
    with pytest.raises(IdempotencyConflict):
        await access.create(OPERATOR, "bob", key="k")
    with pytest.raises(IdempotencyConflict):
        await access.create(OPERATOR, "alice", ("read",), key="k")
    assert await access.create(OPERATOR, "alice", key="l") != token


async def test_retry_does_not_bring_a_revoked_token_back(access: Access) -> None:
    """The first answer again, and it stays void; the revocation may be repeated, too."""
    token = await access.create(OPERATOR, "alice", key="k")
    assert await access.revoke(OPERATOR, "alice", key="r") == 1
    assert await access.create(OPERATOR, "alice", key="k") == token
    assert access.principal(token) is None
    again = await access.create(OPERATOR, "alice")
    assert await access.revoke(OPERATOR, "alice", key="r") == 1
    assert access.principal(again) is not None


async def test_token_of_another_operators_token_is_not_shown(
    access: Access, journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """The retry names the token that exists, so that it can be revoked."""
    await access.create(OPERATOR, "alice", key="k")
    (info,) = await access.list(OPERATOR)
    later = Access(journal, store, clock, "t" * 64)
    with pytest.raises(Conflict, match=f"revoke {info.id} and use a new key"):
        await later.create(OPERATOR, "alice", key="k")


@pytest.mark.parametrize("name", ["ticket_ttl_s", "browser_token_s", "browser_tokens"])
def test_limits_of_nothing_are_refused(name: str) -> None:
    """They would let no browser in."""
    with pytest.raises(ValueError, match=f"{name} = 0 must be more than 0"):
        structs.replace(Limits(), **{name: 0})


def test_note_of_uses_comes_sooner_for_short_lives(
    journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """A tenth of a life, and a minute at most."""
    short = Access(journal, store, clock, SECRET, limits=Limits(browser_token_s=20))
    assert short.browsers.tick_s == 2.0
    assert Access(journal, store, clock, SECRET).browsers.tick_s == 60.0
