"""Types of `reservations`.

Written by `python -m scripts.write_client`.
"""

from typing import Literal

import msgspec


class Freed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a release."""

    id: int
    released: bool
    """False: it had ended already."""


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """One agent's hold on paths; its number is its fence."""

    agent: str
    paths: list[str]
    """Globs, sorted, each once."""
    mode: Literal["exclusive", "shared"]
    reason: str = ""
    id: int
    claimed_at: int
    """Unix milliseconds."""
    expires_at: int
    """Unix milliseconds; the hold is void from this instant on."""


class ReservationList(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``reservations.list``."""

    reservations: list[Reservation]
