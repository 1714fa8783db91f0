"""Ids that are digests of keys, and the way back to names."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from hubbub.core.identity.access import Access
from hubbub.core.identity.identities import MAX_NAMES, OWN, Identities, agent_of, id_of
from hubbub.core.journal import Journal
from hubbub.core.values import OPERATOR, Event, Principal
from hubbub.errors import InvalidRequest, NotFound, StartError
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock


SECRET = "11" * 32


@pytest.fixture
async def identities(journal: Journal, store: SqliteStore, clock: ManualClock) -> Identities:
    """Give the service on an empty store."""
    service = Identities(journal, store, clock, SECRET)
    await service.load()
    return service


def test_id_is_the_prefixed_digest_of_the_public_key(identities: Identities) -> None:
    """Clients find our id by hashing our key themselves."""
    key = MLDSA65PrivateKey.from_seed_bytes(bytes.fromhex(SECRET)).public_key().public_bytes_raw()
    assert len(key) == 1952
    expected = hashlib.sha256(b"AUTONOMI_PEER_ID_V2:" + key).hexdigest()
    assert identities.own.agent_id == id_of(key) == expected
    assert identities.agent_id(OWN) == expected


def test_names_machine_and_keys_differ(identities: Identities) -> None:
    """Every name has keys and an id of its own, the machine too."""
    ids = {identities.agent_id(name) for name in (OWN, "alice", "bob")}
    ids.add(identities.machine_id)
    assert len(ids) == 4
    keys = {identities.kem_public_key(name) for name in (OWN, "alice", "bob")}
    assert [len(key) for key in keys] == [1184] * 3


def test_signature_of_an_agent_verifies_with_the_key_of_its_id(identities: Identities) -> None:
    """The key that makes an agent's id is the one that it signs with."""
    key = identities.signing_key("alice")
    public = key.public_key()
    assert identities.agent_id("alice") == id_of(public.public_bytes_raw())
    public.verify(key.sign(b"data"), b"data")


def test_names_are_found_by_id_once_they_are_known(identities: Identities) -> None:
    """An id leads back to its name, and an unknown one nowhere."""
    alice = identities.agent_id("alice")
    assert (identities.name(alice), identities.knows("alice")) == ("alice", True)
    assert not identities.knows("bob")
    with pytest.raises(NotFound):
        identities.name("0" * 64)


async def test_names_are_known_in_the_next_life(
    identities: Identities, journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """After a restart ids are the same and still lead back; under another key they do not."""
    alice = identities.agent_id("alice")
    await journal.settled()

    again = Identities(journal, store, clock, SECRET)
    await again.load()
    other = Identities(journal, store, clock, "22" * 32)
    await other.load()

    assert again.name(alice) == "alice"
    assert not other.knows("alice")
    assert other.agent_id("alice") != alice


async def test_holder_of_a_token_has_an_id(
    journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """Whoever has a token can be written to: from its creation, and after a restart."""
    first = Identities(journal, store, clock, SECRET)
    access = Access(journal, store, clock, "t" * 64, on_agent=first.agent_id)
    await access.create(OPERATOR, "alice")
    assert first.knows("alice")

    untold = Access(journal, store, clock, "t" * 64)
    await untold.create(OPERATOR, "bob")
    second = Identities(journal, store, clock, SECRET)
    await second.load()
    assert second.knows("alice")
    assert second.knows("bob")


async def test_operator_is_no_name_for_an_agent(
    journal: Journal, store: SqliteStore, clock: ManualClock
) -> None:
    """Nobody gets a token under the name that stands for the daemon itself."""
    with pytest.raises(InvalidRequest, match="operator"):
        await Access(journal, store, clock, "t" * 64).create(OPERATOR, "operator")


def test_actor_has_an_id_if_it_is_an_agent(identities: Identities) -> None:
    """The operator acts as the daemon's agent, agents as themselves, others as nobody."""
    assert identities.of_actor("operator") == identities.own.agent_id
    assert identities.of_actor("agent:alice") == identities.agent_id("alice")
    assert identities.of_actor("hubbub") is None
    assert identities.of_actor("agent:") is None


def test_agent_is_learnt_from_its_presence(identities: Identities) -> None:
    """An agent that was heard through any door can be written to."""
    identities.heard(Event(1, "i", "agents/a/b", "agent.connected", "agent:a/b", 0, b"{}"))  # type: ignore[arg-type]
    assert identities.knows("a/b")


def test_caller_is_an_agent_by_its_name() -> None:
    """The operator is the daemon's own agent; a person is none, and never shares a name."""
    assert agent_of(OPERATOR) == OWN
    assert agent_of(Principal(name="alice")) == "alice"
    assert agent_of(Principal(name="alice", kind="person")) == "person:alice"


def test_only_so_many_names_are_remembered(
    identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit an agent has its id, but is not found by it."""
    assert MAX_NAMES == 100_000
    monkeypatch.setattr("hubbub.core.identity.identities.MAX_NAMES", 2)
    identities.agent_id("alice")
    bob = identities.agent_id("bob")
    assert bob == identities.agent_id("bob")
    assert not identities.knows("bob")


@pytest.mark.parametrize("secret", ["", "zz" * 32, "11" * 31])
def test_broken_key_file_stops_the_start(
    journal: Journal, store: SqliteStore, clock: ManualClock, secret: str
) -> None:
    """A key that is none is never replaced in silence: ids would change."""
    with pytest.raises(StartError, match=r"agent\.key"):
        Identities(journal, store, clock, secret)


async def test_full_disk_costs_only_the_way_back(
    identities: Identities, journal: Journal, store: SqliteStore
) -> None:
    """Where the store refuses the name, the agent still has its id."""
    store._queries["identity_put"] = "INSERT INTO nothing VALUES (:agent_id, :name, :root, :at)"  # noqa: SLF001 no other way to break it
    assert identities.agent_id("alice") == identities.agent_id("alice")
    await journal.settled()
