"""Sockets and HTTP: the only place that knows the server library."""
