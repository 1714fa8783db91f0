"""Types of `locks`.

Written by `python -m scripts.write_client`.
"""

import msgspec

from hubbub.client.generated.shared_types import Lock


class LockList(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``locks.list``."""

    locks: list[Lock]


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a release."""

    issue_id: int
    released: bool
    """False: nobody held the lock any more."""
