"""The crosslink door: issue tracker, locks, agents and their event socket."""

from hubbub.dialects.crosslink.dialect import CrosslinkDialect


__all__ = ["CrosslinkDialect"]
