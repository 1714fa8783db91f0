"""Writers and readers of the five doors, each in its own wire language."""
