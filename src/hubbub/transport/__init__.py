"""Listeners and connections: the only place that knows the HTTP server library."""
