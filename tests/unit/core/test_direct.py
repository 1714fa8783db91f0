"""Direct messages: stored, told once, refused clearly."""

import asyncio

import pytest

from hubbub.core.bus import Bus
from hubbub.core.direct import (
    MAX_LOGICAL_ID_CHARACTERS,
    MAX_PAYLOAD_BYTES,
    Direct,
    DirectMessage,
    message_of,
)
from hubbub.core.identity.identities import Identities
from hubbub.core.journal import Journal
from hubbub.core.payload import encode
from hubbub.core.ports import Settled
from hubbub.core.values import OPERATOR, Event, Principal, uuid7
from hubbub.errors import Forbidden, IdempotencyConflict, InvalidRequest, NotFound, TooLarge
from hubbub.storage.sqlite import SqliteStore
from tests.unit.conftest import ManualClock


ALICE = Principal(name="alice")
READER = Principal(name="r", scopes=frozenset(("read",)))


@pytest.fixture
async def direct(journal: Journal, store: SqliteStore, clock: ManualClock) -> Direct:
    """Give the service, with the agents alice and bob."""
    identities = Identities(journal, store, clock, "11" * 32)
    for name in ("alice", "bob"):
        identities.agent_id(name)
    return Direct(journal, identities, clock, uuid7)


@pytest.fixture
def told(bus: Bus) -> list[Event]:
    """Give the list of all direct messages that are told."""
    events: list[Event] = []
    bus.listen(["direct/*"], events.append)
    return events


async def test_message_is_told_under_its_recipient(direct: Direct, told: list[Event]) -> None:
    """The event names both sides and carries the bytes."""
    sent = await direct.send(ALICE, "bob", "aGk=")

    (event,) = told
    assert (event.topic, event.kind, event.actor) == ("direct/bob", "direct.message", "agent:alice")
    assert message_of(event) == DirectMessage(sent.message_id, "alice", "bob", "aGk=")
    assert event.seq == sent.seq


async def test_operator_sends_as_the_daemon(direct: Direct, told: list[Event]) -> None:
    """Who holds the operator's token is the daemon's own agent, and can write to it."""
    await direct.send(OPERATOR, "operator", "")
    assert message_of(told[0]).sender == "operator"


async def test_logical_id_delivers_once(direct: Direct, told: list[Event]) -> None:
    """The same message under the same id is answered again and told no second time."""
    first = await direct.send(ALICE, "bob", "aGk=", logical_id="one")
    again = await direct.send(ALICE, "bob", "aGk=", logical_id="one")
    assert again == first
    assert len(told) == 1


async def test_logical_id_with_other_bytes_conflicts(direct: Direct, told: list[Event]) -> None:
    """Other bytes under the same id are refused and told nobody."""
    await direct.send(ALICE, "bob", "aGk=", logical_id="one")
    with pytest.raises(IdempotencyConflict):
        await direct.send(ALICE, "bob", "aG8=", logical_id="one")
    assert len(told) == 1


async def test_logical_id_belongs_to_sender_and_recipient(
    direct: Direct, told: list[Event]
) -> None:
    """Another sender or another recipient may use the same id for a message of its own."""
    await direct.send(ALICE, "bob", "aGk=", logical_id="one")
    await direct.send(ALICE, "alice", "aG8=", logical_id="one")
    await direct.send(OPERATOR, "bob", "aG8=", logical_id="one")
    assert len(told) == 3


async def test_submitted_message_is_settled_with_its_receipt(direct: Direct) -> None:
    """The cheap form answers through its callback, and knows logical ids too."""
    settled: asyncio.Queue[Settled] = asyncio.Queue()
    for _ in range(2):
        direct.submit(ALICE, "bob", "aGk=", settled.put_nowait, logical_id="one")
    first, again = await settled.get(), await settled.get()
    assert first.error is again.error is None
    assert first.value == again.value


async def test_unknown_recipient_is_not_found(direct: Direct) -> None:
    """Nothing is stored for an agent that was never here."""
    with pytest.raises(NotFound):
        await direct.send(ALICE, "nobody", "aGk=")


async def test_payload_must_be_base64_within_the_limit(direct: Direct) -> None:
    """Text that is no base64 is refused, and so is one byte over the limit, but not the limit."""
    with pytest.raises(InvalidRequest, match="base64"):
        await direct.send(ALICE, "bob", "hi")
    assert MAX_PAYLOAD_BYTES == 1_048_576
    await direct.send(ALICE, "bob", encode(bytes(MAX_PAYLOAD_BYTES)).decode())
    with pytest.raises(TooLarge, match="1048577"):
        await direct.send(ALICE, "bob", encode(bytes(MAX_PAYLOAD_BYTES + 1)).decode())


async def test_reader_may_not_send(direct: Direct) -> None:
    """Sending needs the scope to write."""
    with pytest.raises(Forbidden):
        await direct.send(READER, "bob", "aGk=")


@pytest.mark.parametrize("length", [0, MAX_LOGICAL_ID_CHARACTERS + 1])
async def test_logical_id_has_a_length(direct: Direct, length: int) -> None:
    """An empty id and one over 128 characters are refused."""
    with pytest.raises(InvalidRequest, match="1 to 128"):
        await direct.send(ALICE, "bob", "aGk=", logical_id="x" * length)
