"""Backups of a data directory: made beside a running daemon, and brought back."""
