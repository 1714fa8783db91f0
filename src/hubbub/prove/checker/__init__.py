"""The judges: pure functions from a history to its violations, one module per promise."""
