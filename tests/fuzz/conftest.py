"""One daemon for the tests of one module."""

from tests.blackbox.conftest import room, shared_daemon


__all__ = ["room", "shared_daemon"]
