"""Hubbub's own wire language: JSON-RPC 2.0 and server-sent events."""
