"""What the doctor has looked at."""

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    ok: bool
    detail: str
    fix: str = ""
    """What to do next: a command or an edit. Never empty where something is wrong."""


def good(what: str, detail: str, hint: str = "") -> Finding:
    """Make a finding of what is as it should be.

    Args:
        hint: What could be done if it is not as it is wanted.
    """
    return Finding(what, ok=True, detail=detail, fix=hint)


def bad(what: str, detail: str, fix: str) -> Finding:
    """Make a finding of what is wrong, with the next step."""
    return Finding(what, ok=False, detail=detail, fix=fix)
