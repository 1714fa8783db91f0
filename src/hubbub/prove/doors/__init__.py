"""Writers and readers of the five doors, each in its own wire language."""

from collections.abc import Sequence

from hubbub.prove.desk import Door
from hubbub.prove.doors import hubbub


DOORS: Sequence[Door] = (hubbub.DOOR,)
"""All doors."""
