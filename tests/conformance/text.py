"""Class 6: UTF-8."""

from collections.abc import Iterator, Sequence
from functools import partial

from tests.conformance.raw import CLOSE, CONTINUATION, PING, PONG, TEXT, Came, fragments, frame
from tests.conformance.talk import Case, NonStrict, Talk


GREEK = "Γειά σου κόσμε: \U0001f680 ÄÖÜ"  # noqa: RUF001 it is Greek

GOOD: dict[str, Sequence[str]] = {
    "6.5": ("κόσμε", "a\u0300", "\u200b\u2028\u202e"),
    "6.7": ("\x7f", "\x80", "\u0800", "\U00010000"),
    "6.9": ("\u07ff", "\uffff", "\U0010ffff"),
    "6.11": ("\ud7ff", "\ue000", "\ufffd"),
    "6.22": ("\ufffe", "\ufdd0", *(chr(plane * 0x10000 + 0xFFFE) for plane in range(1, 17))),
    "6.23": ("\ufff9", "\ufffa\ufffb\ufffc", "\ufeff"),
}
"""Texts that are right, by class: all lengths, first and last of each, non-characters."""

BAD: dict[str, Sequence[bytes]] = {
    "6.6": (b"\xce", b"\xe1\xbd", b"a\xcf", b"\xf0\x9f\x9a"),
    "6.8": (b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"),
    "6.10": (b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"),
    "6.12": (b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80\xbf\x80\xbf\x80"),
    "6.13": (b"\xc0 \xc1 ", b"\xe0 \xef ", b"\xf0 \xf7 ", b"\xf8 \xfb ", b"\xfc \xfd "),
    "6.14": (b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf"),
    "6.15": (b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80",),
    "6.16": (b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"),
    "6.17": (b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf"),
    "6.18": (b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf"),
    "6.19": (b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80"),
    "6.20": (b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xbf\xbf"),
    "6.21": (b"\xed\xa0\x80\xed\xb0\x80", b"\xed\xaf\xbf\xed\xbf\xbf", b"\xf4\x90\x80\x80"),
}
"""Bytes that are no text, by class: cut, too long, stray, overlong, surrogates, out of range."""

WHAT = {
    "6.5": "a valid text",
    "6.6": "a text that ends inside a character",
    "6.7": "the first character of a length",
    "6.8": "the first of five and six bytes, which do not exist",
    "6.9": "the last character of a length",
    "6.10": "beyond the last character",
    "6.11": "beside the surrogates",
    "6.12": "stray continuation bytes",
    "6.13": "lonely first bytes",
    "6.14": "sequences without their last byte",
    "6.15": "several of these in a row",
    "6.16": "bytes that occur nowhere",
    "6.17": "an overlong slash",
    "6.18": "the largest overlong form",
    "6.19": "an overlong zero",
    "6.20": "a single surrogate",
    "6.21": "a pair of surrogates, or a number too large",
    "6.22": "a non-character, which is valid",
    "6.23": "a character of the specials",
}


async def _right(talk: Talk, word: str) -> None:
    await talk.send(frame(TEXT, talk.voice.ask(word)))
    await talk.answer(word)
    await talk.well()


async def _wrong(talk: Talk, data: bytes) -> None:
    await talk.send(frame(TEXT, data))
    await talk.closed(1007)


async def _split(talk: Talk, size: int) -> None:
    message = talk.voice.ask(GREEK)
    pieces = [message[start : start + size] for start in range(0, len(message), size)]
    await talk.send(fragments(pieces))
    await talk.answer(GREEK)
    await talk.well()


async def _empty_pieces(talk: Talk, pieces: Sequence[bytes]) -> None:
    """Send fragments without content: together an empty text, which every listener survives."""
    await talk.send(fragments(pieces))
    await talk.well()


async def _empty_ends(talk: Talk) -> None:
    await talk.send(fragments([b"", talk.voice.ask("in the middle"), b""]))
    await talk.answer("in the middle")
    await talk.well()


async def _wrong_pieces(talk: Talk, size: int) -> None:
    data = GREEK.encode() + b"\xed\xa0\x80" + b"edited"
    await talk.send(fragments([data[start : start + size] for start in range(0, len(data), size)]))
    await talk.closed(1007)


async def _fast(talk: Talk, bad: bytes, *, in_frames: bool) -> None:
    """Stop after the first wrong byte, and see whether the server waits for the end."""
    good, rest = GREEK.encode(), b"edited"
    if in_frames:
        await talk.send(frame(TEXT, good, fin=False), frame(CONTINUATION, bad, fin=False))
        await talk.send(frame(PING, b"now?"))
        last = frame(CONTINUATION, rest)
    else:
        whole = frame(TEXT, good + bad + rest)
        await talk.send(whole[: -len(rest)])
        last = whole[-len(rest) :]
    if in_frames:
        came = await talk.control()
        if came.opcode == CLOSE:
            assert came.code == 1007
            return
        assert came == Came(PONG, b"now?")
    await talk.send(last)
    await talk.closed(1007)
    raise NonStrict


def text() -> Iterator[Case]:
    """Make class 6."""
    yield Case("6.1.1", "an empty text", partial(_empty_pieces, pieces=[b""]))
    yield Case("6.1.2", "three empty fragments", partial(_empty_pieces, pieces=[b"", b"", b""]))
    yield Case("6.1.3", "a fragment between two empty ones", _empty_ends)
    for n, size in enumerate((4096, 23, 2, 1), 1):
        what = f"characters of several bytes, split after each {size}"
        yield Case(f"6.2.{n}", what, partial(_split, size=size))
    for n, size in enumerate((4096, 1), 1):
        what = f"a wrong byte in fragments of {size}"
        yield Case(f"6.3.{n}", what, partial(_wrong_pieces, size=size))
    for n, in_frames in ((1, True), (2, True), (3, False), (4, False)):
        bad = b"\xf4\x90\x80\x80" if n % 2 else b"\xf4\x90"
        run = partial(_fast, bad=bad, in_frames=in_frames)
        yield Case(f"6.4.{n}", "a wrong byte, and no end of the message yet", run)
    for group, words in GOOD.items():
        for n, word in enumerate(words, 1):
            yield Case(f"{group}.{n}", WHAT[group], partial(_right, word=word))
    for group, wrong in BAD.items():
        for n, data in enumerate(wrong, 1):
            yield Case(f"{group}.{n}", WHAT[group], partial(_wrong, data=data))
