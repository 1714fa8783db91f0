"""Made-up histories, written as the short stories that they are."""

import itertools

from hubbub.prove.history import (
    Answered,
    AnyRecord,
    Asked,
    Dropped,
    Found,
    Joined,
    Left,
    Outcome,
    Seam,
    Told,
)


class Story:
    """A history that a test writes line by line; time goes on by a second each line."""

    def __init__(self) -> None:
        self.records: list[AnyRecord] = []
        self._time = itertools.count(1.0)
        self._positions = itertools.count(1)
        self._connections: dict[str, int] = {}

    def ask(
        self,
        op: str,
        *,
        verb: str = "publish",
        writer: str = "w",
        reads: tuple[str, ...] = ("event",),
        key: str | None = None,
        attempt: int = 1,
        fence: int | None = None,
        lock: str | None = None,
    ) -> None:
        """A writer sends a request."""
        self.records.append(
            Asked(
                at=next(self._time),
                writer=writer,
                door="hubbub",
                verb=verb,
                op=op,
                stream="",
                reads=reads,
                key=key,
                attempt=attempt,
                fence=fence,
                lock=lock,
            )
        )

    def answer(
        self,
        op: str,
        outcome: Outcome = "ok",
        *,
        verb: str = "publish",
        writer: str = "w",
        attempt: int = 1,
        value: str = "",
        fence: int | None = None,
    ) -> None:
        """The daemon answers, or its answer is lost."""
        self.records.append(
            Answered(
                at=next(self._time),
                writer=writer,
                door="hubbub",
                verb=verb,
                op=op,
                attempt=attempt,
                outcome=outcome,
                value=value,
                fence=fence,
            )
        )

    def claim(self, lock: str, writer: str, fence: int) -> None:
        """A writer gets a lock."""
        op = f"{writer} claims {fence}"
        self.ask(op, verb="lock.claim", writer=writer, lock=lock, reads=())
        self.answer(op, verb="lock.claim", writer=writer, fence=fence)

    def join(
        self,
        seam: Seam = "exact",
        *,
        reader: str = "r",
        stream: str = "t",
        kinds: tuple[str, ...] = (),
        one_order: bool = True,
        recovered: bool | None = None,
        after: int | None = None,
    ) -> None:
        """A reader comes, or comes back."""
        self._connections[reader] = self._connections.get(reader, 0) + 1
        self.records.append(
            Joined(
                at=next(self._time),
                reader=reader,
                door="hubbub",
                seam=seam,
                streams=(stream,),
                connection=self._connections[reader],
                kinds=kinds,
                one_order=one_order,
                recovered=recovered,
                after=after,
            )
        )

    def tell(
        self, *whats: str, reader: str = "r", stream: str = "t", position: int | None = None
    ) -> None:
        """A reader gets events."""
        for what in whats:
            self.records.append(
                Told(
                    at=next(self._time),
                    reader=reader,
                    door="hubbub",
                    connection=self._connections[reader],
                    stream=stream,
                    what=what,
                    position=position,
                )
            )

    def leave(self, reader: str = "r") -> None:
        """A reader's connection ends."""
        connection = self._connections[reader]
        self.records.append(
            Left(at=next(self._time), reader=reader, door="hubbub", connection=connection)
        )

    def drop(self, reader: str = "r") -> None:
        """A door owns up that it dropped something."""
        connection = self._connections[reader]
        self.records.append(
            Dropped(at=next(self._time), reader=reader, door="hubbub", connection=connection)
        )

    def store(
        self,
        *whats: str,
        stream: str = "t",
        kind: str = "message",
        value: str = "",
        fence: int | None = None,
    ) -> None:
        """At the end, events stand in the journal."""
        for what in whats:
            self.records.append(
                Found(
                    at=next(self._time),
                    door="hubbub",
                    read="event",
                    what=what,
                    stream=stream,
                    kind=kind,
                    position=next(self._positions),
                    value=value,
                    fence=fence,
                )
            )

    def find(self, read: str, *whats: str, door: str = "hubbub", value: str = "") -> None:
        """At the end, a door's own read shows things."""
        for what in whats:
            self.records.append(
                Found(at=next(self._time), door=door, read=read, what=what, value=value)
            )
