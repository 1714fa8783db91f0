"""What can be found wrong."""

from typing import Literal, get_args

import msgspec


ViolationKind = Literal[
    "acknowledged but lost",
    "delivered twice",
    "out of order",
    "hole after resume",
    "executed twice",
    "lock held by two",
    "stale fence accepted",
    "run stuck",
]

KINDS: tuple[ViolationKind, ...] = get_args(ViolationKind)
"""Every kind, in the order of the report."""


class Violation(msgspec.Struct, frozen=True):
    """One broken promise."""

    kind: ViolationKind
    what: str
    """Label of the effect, or name of the lock or run."""
    detail: str
    """Who saw what, for people."""
