"""The error tree: what can go wrong, with a stable code for each."""
