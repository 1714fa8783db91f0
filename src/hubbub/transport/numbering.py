"""Frames that begin with their connection's own number, made for many connections at once.

A tail is a JSON object without its opening brace, ``,"type":…}``; a numbered frame is a
WebSocket header, ``{"seq":``, the number, and the tail. Where a whole audience gets the same
tails, header and length depend only on how many digits the number has, so the frames of one
write are one template per digit count, and a connection costs one formatting.
"""

from collections.abc import Sequence


_HEAD = b'{"seq":'


def ws_header(length: int) -> bytes:
    """Give the header of an unmasked, final text frame (RFC 6455, 5.2)."""
    if length < 126:  # noqa: PLR2004 the RFC's own numbers
        return bytes((0x81, length))
    if length < 65_536:  # noqa: PLR2004
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")


def numbered_frame(number: int, tail: bytes) -> bytes:
    """Give one numbered frame."""
    head = b'{"seq":%d' % number
    return ws_header(len(head) + len(tail)) + head + tail


class Numbering:
    """Gives the same tails to many connections, each with its own numbers."""

    __slots__ = ("_made", "_tails", "_templates")

    def __init__(self, tails: Sequence[bytes]) -> None:
        """Number these tails, in this order."""
        self._tails = tails
        self._templates: dict[int, bytes] = {}
        self._made: dict[int, bytes] = {}

    def after(self, number: int) -> bytes:
        """Give all frames in one piece, for a connection whose last number was this one.

        Connections that came together stand at the same number and share the bytes.
        """
        made = self._made.get(number)
        if made is None:
            made = self._made[number] = self._make(number)
        return made

    def _make(self, number: int) -> bytes:
        first, last = number + 1, number + len(self._tails)
        digits = len(str(last))
        if len(str(first)) != digits:
            frames = map(numbered_frame, range(first, last + 1), self._tails)
            return b"".join(frames)
        template = self._templates.get(digits)
        if template is None:
            template = self._templates[digits] = self._template(digits)
        return template % (first if first == last else tuple(range(first, last + 1)))

    def _template(self, digits: int) -> bytes:
        headed = (
            (ws_header(len(_HEAD) + digits + len(tail)) + _HEAD, tail) for tail in self._tails
        )
        return b"".join(
            head.replace(b"%", b"%%") + b"%d" + tail.replace(b"%", b"%%") for head, tail in headed
        )
