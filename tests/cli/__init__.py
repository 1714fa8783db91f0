"""The commands, against a daemon that runs."""
