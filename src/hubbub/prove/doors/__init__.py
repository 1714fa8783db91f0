"""Writers and readers of the five doors, each in its own wire language."""

from collections.abc import Sequence

from hubbub.prove.desk import Door
from hubbub.prove.doors import car, crosslink, hubbub, openclaw, x0x


DOORS: Sequence[Door] = (hubbub.DOOR, x0x.DOOR, crosslink.DOOR, car.DOOR, openclaw.DOOR)
"""All doors."""
