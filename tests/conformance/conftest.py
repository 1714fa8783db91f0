"""One daemon for all cases."""

from tests.blackbox.conftest import room, shared_daemon


__all__ = ["room", "shared_daemon"]
