"""How long a client waits before it tries again."""

import random
from collections.abc import Awaitable, Callable

import msgspec


Sleep = Callable[[float], Awaitable[None]]
"""Waits for some seconds."""


class Backoff(msgspec.Struct, frozen=True):
    """Waits that double up to a cap; each is shortened by chance, so that clients spread."""

    first_s: float = 0.1
    """Seconds before the second attempt at most."""
    cap_s: float = 10.0
    """Seconds between two attempts at most."""
    chance: Callable[[], float] = random.random
    """Gives a number from 0 up to 1."""

    def delay_s(self, failures: int) -> float:
        """Give the wait after so many failures in a row, in seconds: half of it is chance.

        Args:
            failures: 1 after the first one.
        """
        # Far beyond any cap already; a larger exponent would only overflow.
        most = min(self.cap_s, self.first_s * 2.0 ** min(failures - 1, 32))
        return most * (1 + self.chance()) / 2
