"""Direct messages: from one agent to another, stored before they count as sent.

The recipient need not be here. Its messages wait in the journal under ``direct/<agent>``
and reach it through whatever door it comes back by.
"""

from collections.abc import Callable

import msgspec

from hubbub.core import payload
from hubbub.core.idempotency import digest, once
from hubbub.core.identity.identities import Identities, agent_of, topic_of
from hubbub.core.journal import Journal
from hubbub.core.ports import Settled, Transaction, Unit
from hubbub.core.values import Clock, Event, IdSource, Principal
from hubbub.errors import InvalidRequest, NotFound, TooLarge


KIND = "direct.message"
MAX_PAYLOAD_BYTES = 1024 * 1024
"""Bytes in one direct message at most, before base64."""
MAX_LOGICAL_ID_CHARACTERS = 128
"""Length of a sender's own id for a message at most."""


class DirectMessage(msgspec.Struct, frozen=True):
    """Data of a ``direct.message`` event."""

    message_id: str
    sender: str
    """Name of the agent that sent it."""
    recipient: str
    payload: str
    """Base64."""


class Sent(msgspec.Struct, frozen=True):
    """What is answered to the sender."""

    message_id: str
    seq: int


_decoder = msgspec.json.Decoder(DirectMessage)


def message_of(event: Event) -> DirectMessage:
    """Read the message that an event carries."""
    return _decoder.decode(event.data)


TurnOf = Callable[[Principal, DirectMessage], Unit[None] | None]


def no_turn(_caller: Principal, _message: DirectMessage) -> Unit[None] | None:
    """Begin no turn."""
    return None


class Direct:
    """The send verb, in a waiting and in a cheap form."""

    def __init__(
        self,
        journal: Journal,
        identities: Identities,
        clock: Clock,
        ids: IdSource,
        *,
        turn_of: TurnOf = no_turn,
    ) -> None:
        """Send between the agents that ``identities`` knows.

        Args:
            turn_of: Gives what else is done with a message in the unit that stores it.
        """
        self._turn_of = turn_of
        self._journal = journal
        self._identities = identities
        self._clock = clock
        self._ids = ids

    async def send(
        self, caller: Principal, recipient: str, base64: str, *, logical_id: str | None = None
    ) -> Sent:
        """Store a message and tell it to the recipient's connections.

        Args:
            recipient: Name of the agent.
            base64: The payload, as standard base64.
            logical_id: The sender's own id for this message to this recipient: a second
                send under it gives the first answer and delivers nothing.

        Raises:
            NotFound: No agent of this name was ever here.
            InvalidRequest: The payload is not base64, or the logical id is too long.
            TooLarge: The payload is over ``MAX_PAYLOAD_BYTES``.
            Forbidden: The caller may not write.
            IdempotencyConflict: The logical id was used for other bytes.
        """
        return await self._journal.commit(self._unit(caller, recipient, base64, logical_id))

    def submit(
        self,
        caller: Principal,
        recipient: str,
        base64: str,
        done: Callable[[Settled], None],
        *,
        logical_id: str | None = None,
    ) -> None:
        """Send without waiting; ``done`` gets a ``Sent`` as its value.

        Raises:
            RequestError: As ``send``, at once.
        """
        self._journal.submit(self._unit(caller, recipient, base64, logical_id), done)

    def _unit(
        self, caller: Principal, recipient: str, base64: str, logical_id: str | None
    ) -> Unit[Sent]:
        caller.require("write")
        if not self._identities.knows(recipient):
            raise NotFound("agent", recipient)
        size = payload.size(payload.check_base64(base64))
        if size > MAX_PAYLOAD_BYTES:
            message = f"the payload has {size} bytes, {MAX_PAYLOAD_BYTES} are allowed"
            raise TooLarge(message)
        message_id = self._ids()
        data = DirectMessage(message_id, agent_of(caller), recipient, base64)
        begin_turn = self._turn_of(caller, data)

        def send(tx: Transaction) -> Sent:
            event = tx.append(topic_of(recipient), KIND, data, actor=caller.id)
            if begin_turn is not None:
                begin_turn(tx)
            return Sent(message_id, event.seq)

        if logical_id is None:
            return send
        if not 0 < len(logical_id) <= MAX_LOGICAL_ID_CHARACTERS:
            message = f"a logical id has 1 to {MAX_LOGICAL_ID_CHARACTERS} characters"
            raise InvalidRequest(message)
        return once(
            send,
            caller=caller,
            # One logical id may go to several recipients: each is a message of its own.
            key="direct:" + digest(recipient, logical_id).hex(),
            request=digest("direct.send", recipient, base64),
            result=Sent,
            clock=self._clock,
        )
