"""Publishing under names that clients choose."""

from collections.abc import Callable

import msgspec

from hubbub.core.idempotency import digest, once
from hubbub.core.journal import Journal
from hubbub.core.ports import Settled, Transaction, Unit
from hubbub.core.values import Clock, Principal, check_topic
from hubbub.errors import Forbidden


RESERVED = ("agents/", "chat/", "direct/", "issues/", "locks/", "plans/", "reservations/", "runs/")
"""Topics under which only the daemon's own services publish."""


class Published(msgspec.Struct, frozen=True):
    """Where a published event stands."""

    id: str
    seq: int


class Topics:
    """The publish verb, in a waiting and in a cheap form."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        """Publish into a journal."""
        self._journal = journal
        self._clock = clock

    async def publish(
        self,
        caller: Principal,
        topic: str,
        data: object,
        *,
        kind: str = "message",
        key: str | None = None,
        cause: str | None = None,
    ) -> Published:
        """Store an event and tell it to everyone who listens.

        Args:
            data: What msgspec encodes; ``msgspec.Raw`` must be compact JSON in valid UTF-8.
            key: Idempotency key.

        Raises:
            InvalidRequest: The topic is empty or too long.
            Forbidden: The topic belongs to a service, or the caller may not write.
            IdempotencyConflict: The key was used for another event.
        """
        return await self._journal.commit(
            self._unit(caller, topic, data, kind=kind, key=key, cause=cause)
        )

    def submit(
        self,
        caller: Principal,
        topic: str,
        data: object,
        done: Callable[[Settled], None],
        *,
        kind: str = "message",
        key: str | None = None,
    ) -> None:
        """Publish without waiting; ``done`` gets a ``Published`` as its value.

        Raises:
            InvalidRequest: As ``publish``, at once.
        """
        self._journal.submit(self._unit(caller, topic, data, kind=kind, key=key, cause=None), done)

    def _unit(
        self,
        caller: Principal,
        topic: str,
        data: object,
        *,
        kind: str,
        key: str | None,
        cause: str | None,
    ) -> Unit[Published]:
        check_topic(topic)
        caller.require("write")
        if topic.startswith(RESERVED):
            message = f"topic {topic!r} belongs to the daemon; publish under another name"
            raise Forbidden(message)
        raw = compact(data) if isinstance(data, msgspec.Raw) else msgspec.json.encode(data)
        actor = caller.id

        def publish(tx: Transaction) -> Published:
            event = tx.append(topic, kind, msgspec.Raw(raw), actor=actor, cause=cause)
            return Published(event.id, event.seq)

        if key is None:
            return publish
        return once(
            publish,
            caller=caller,
            key=key,
            request=digest("topics.publish", topic, kind, raw),
            result=Published,
            clock=self._clock,
        )


def compact(raw: msgspec.Raw) -> bytes:
    """Take the line breaks out of JSON that a client wrote; SSE would be cut at them."""
    data = bytes(raw)
    # Inside a JSON string a line break is always escaped, so these are only layout.
    return msgspec.json.format(data, indent=-1) if b"\n" in data or b"\r" in data else data
