"""Path globs, and whether some path could match two of them.

A glob is segments between ``/``. In a segment ``*`` stands for any characters, ``?`` for one,
``[a-z]`` for one of these and ``[!a-z]`` for one that is none of these; ``[*]`` is the sign
itself. A segment ``**`` stands for any number of segments, also none. Letters count in their
case.
"""

import sys
from collections.abc import Callable, Iterator, Sequence

from hubbub.errors import InvalidRequest


Ranges = tuple[tuple[int, int], ...]
"""Code points, as ranges of first and last, ascending and apart."""
Segment = tuple[Ranges | None, ...]
"""What each place of a segment takes; ``None``: any characters, ``*``."""
Glob = tuple[Segment | None, ...]
"""Segments; ``None``: any number of segments, ``**``."""

_SLASH = ord("/")
# What can stand in a path: all but NUL, the slash and the halves of surrogate pairs.
ANY: Ranges = ((1, _SLASH - 1), (_SLASH + 1, 0xD7FF), (0xE000, sys.maxunicode))


def parse(text: str) -> Glob:
    """Read a glob.

    Raises:
        InvalidRequest: It is empty, not relative, or a bracket has no end.
    """
    return tuple(None if part == "**" else _segment(text, part) for part in text.split("/"))


def overlap(one: Glob, other: Glob) -> bool:
    """Say whether some path matches both."""
    return _meet(one, other, _segments_meet)


def _segments_meet(one: Segment, other: Segment) -> bool:
    return _meet(one, other, _ranges_meet)


def _meet(
    one: Sequence[Segment | None] | Sequence[Ranges | None],
    other: Sequence[Segment | None] | Sequence[Ranges | None],
    meet: Callable[..., bool],
) -> bool:
    """Say whether two sequences, in which ``None`` stands for any number, have one in common.

    Row by row over all pairs of places: a pair can be reached when what stands before both
    has something in common.
    """
    reached = [True]
    for element in other:
        reached.append(reached[-1] and element is None)
    for mine in one:
        row = [reached[0] and mine is None]
        for place, theirs in enumerate(other):
            if mine is None:
                row.append(reached[place + 1] or row[place])
            elif theirs is None:
                row.append(row[place] or reached[place + 1])
            else:
                row.append(reached[place] and meet(mine, theirs))
        if not any(row):
            return False
        reached = row
    return reached[-1]


def _ranges_meet(one: Ranges, other: Ranges) -> bool:
    return any(max(a, c) <= min(b, d) for a, b in one for c, d in other)


def _segment(glob: str, text: str) -> Segment:
    if text in ("", ".", ".."):
        message = f"{glob!r} is no glob: write it relative, without '.', '..' and empty parts"
        raise InvalidRequest(message)
    return tuple(_places(glob, text))


def _places(glob: str, text: str) -> Iterator[Ranges | None]:
    at = 0
    while at < len(text):
        sign, at = text[at], at + 1
        if sign == "*":
            yield None
        elif sign == "?":
            yield ANY
        elif sign == "[":
            # A bracket that stands first is a member, not the end.
            end = text.find("]", at + 1 + text.startswith("!", at))
            if end < 0:
                message = f"{glob!r} is no glob: a '[' has no ']'; '[[]' is the sign itself"
                raise InvalidRequest(message)
            members = _members(text[at:end])
            if not members:
                message = f"{glob!r} is no glob: {text[at - 1 : end + 1]!r} matches nothing"
                raise InvalidRequest(message)
            yield members
            at = end + 1
        elif not _ranges_meet(ANY, ((ord(sign), ord(sign)),)):
            message = f"{glob!r} is no glob: it has a character that no path has"
            raise InvalidRequest(message)
        else:
            yield ((ord(sign), ord(sign)),)


def _members(text: str) -> Ranges:
    """Read what stands between brackets."""
    negated = text.startswith("!")
    signs = text[negated:]
    ranges, at = [], 0
    while at < len(signs):
        first = last = ord(signs[at])
        if at + 2 < len(signs) and signs[at + 1] == "-":
            last, at = ord(signs[at + 2]), at + 2
        ranges.append((first, last))
        at += 1
    return _without(ANY, ranges) if negated else _common(ANY, ranges)


def _common(one: Ranges, other: Sequence[tuple[int, int]]) -> Ranges:
    both = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple((first, last) for first, last in both if first <= last)


def _without(all_of: Ranges, taken: Sequence[tuple[int, int]]) -> Ranges:
    left = all_of
    for first, last in taken:
        if first <= last:
            left = _common(left, ((0, first - 1), (last + 1, sys.maxunicode)))
    return left
