"""What backups need of a store's file."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from hubbub.core.values import Position


Progress = Callable[[str, int, int], None]
"""Takes what is being done, how much of it is done, and of how much."""


class StoreFacts(Protocol):
    """What a store says of itself."""

    @property
    def schema(self) -> int:
        """Version of its schema."""
        ...

    @property
    def position(self) -> Position:
        """Its newest event."""
        ...


class StoreCopies(Protocol):
    """Works on the file of a store that a daemon may have open."""

    def copy(self, source: Path, target: Path, progress: Callable[[int, int], None]) -> StoreFacts:
        """Copy a store as it is at one moment: all that was committed before the call is in it.

        Never holds up a daemon that writes.
        """
        ...

    def examine(self, path: Path) -> StoreFacts:
        """Check every page of a store.

        Raises:
            StartError: It is newer than this program.
            HubbubError: It is damaged, or no store.
        """
        ...

    def begin_epoch(self, path: Path) -> Position:
        """Make a copy a journal of its own that continues the old one; gives where it begins."""
        ...
