"""The rules of the four documents the project started from, each against a daemon process."""
