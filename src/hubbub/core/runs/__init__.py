"""Runs: one execution by an agent each, with its trace."""
