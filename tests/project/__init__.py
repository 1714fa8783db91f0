"""The repository itself: its checks, its lock, its entry points."""
