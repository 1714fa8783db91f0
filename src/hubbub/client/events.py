"""Events and positions, as a client sees them."""

from typing import Any

import msgspec


class Position(msgspec.Struct, frozen=True):
    """A place in the journal: everything up to and including ``seq`` has been seen."""

    epoch: str
    """Id of the journal; another one means another journal."""
    seq: int

    @property
    def cursor(self) -> str:
        """The text form, for ``after``, for a file, for another program."""
        return f"{self.epoch}:{self.seq}"


class Event(msgspec.Struct, frozen=True):
    """One thing that happened."""

    seq: int
    """Place in the journal, from 1; 0 for an ephemeral event, which is in no journal."""
    id: str
    topic: str
    kind: str
    actor: str
    """Id of the principal that did it: ``operator``, ``agent:alice``."""
    at: int
    """Unix time in milliseconds."""
    raw: msgspec.Raw = msgspec.field(name="data")
    """The data as JSON, as it came."""
    cause: str | None = None
    """Id of the event or request that led to this one."""
    epoch: str = ""
    """Id of the journal; filled in by ``follow``."""

    def __repr__(self) -> str:
        """Show the data, too."""
        head = f"Event({self.seq} {self.topic} {self.kind} {self.actor}"
        return f"{head} {bytes(self.raw).decode()})"

    @property
    def data(self) -> Any:
        """The data, decoded anew at each look."""
        return msgspec.json.decode(self.raw)

    @property
    def position(self) -> Position | None:
        """Where it stands; ``None`` for an ephemeral event."""
        return Position(self.epoch, self.seq) if self.seq else None

    @property
    def cursor(self) -> str | None:
        """The text form of its position; ``None`` for an ephemeral event."""
        return f"{self.epoch}:{self.seq}" if self.seq else None


class Resumed(msgspec.Struct, frozen=True):
    """How a subscription began, or went on after the connection was lost."""

    recovered: bool
    """True: everything after the given position follows, without hole or duplicate."""
    position: Position
    """Events after it follow."""
    reason: str | None = None
    """Why the past is not complete: ``epoch_changed``, ``retention`` or ``ahead``."""


def cursor_of(after: Position | str | None) -> str | None:
    """Give the text form of a position in either form."""
    return after.cursor if isinstance(after, Position) else after
