"""Types of `locks`.

Written by `python -m scripts.write_client`.
"""

import msgspec


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """One agent's exclusive hold on an issue."""

    issue_id: int
    holder: str
    fence: int
    claimed_at: int
    """Unix milliseconds."""
    expires_at: int
    """Unix milliseconds; the hold is void from this instant on."""


class LockList(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``locks.list``."""

    locks: list[Lock]


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a release."""

    issue_id: int
    released: bool
    """False: nobody held the lock any more."""
