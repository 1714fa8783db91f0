"""The documents say all that there is."""
