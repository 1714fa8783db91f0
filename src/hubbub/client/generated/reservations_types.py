"""Types of `reservations`.

Written by `python -m scripts.write_client`.
"""

import msgspec

from hubbub.client.generated.shared_types import Reservation


class Freed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a release."""

    id: int
    released: bool
    """False: it had ended already."""


class ReservationList(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``reservations.list``."""

    reservations: list[Reservation]
