"""Writers and readers of the five doors, each in its own wire language."""

from collections.abc import Sequence

from hubbub.prove.desk import Door


DOORS: Sequence[Door] = ()
"""All doors."""
