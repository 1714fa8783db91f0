"""Classes 7, 9, 10, 12 and 13: closing, limits, automatic fragmentation, compression."""

from collections.abc import Iterator
from functools import partial

from tests.conformance.raw import (
    CLOSE,
    CONTINUATION,
    END,
    PING,
    TEXT,
    RawSocket,
    closing,
    fragments,
    frame,
    header,
)
from tests.conformance.talk import Case, Talk


MAY_CLOSE = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
MAY_NOT_CLOSE = (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)
MIB = 1024 * 1024


async def _close(talk: Talk, data: bytes, *codes: int | None) -> None:
    await talk.send(data)
    await talk.closed(*codes)


async def _answered_close(talk: Talk) -> None:
    await talk.ask("first")
    await talk.answer("first")
    await talk.send(closing(1000, b"that was all"))
    await talk.closed(1000)


async def _after_close(talk: Talk, data: bytes) -> None:
    await talk.send(closing(1000), data)
    await talk.closed(1000)


async def _unfinished(talk: Talk) -> None:
    await talk.send(frame(TEXT, b"fragment", fin=False), closing(1000))
    await talk.closed(1000)


async def _last_words(talk: Talk) -> None:
    """Ask and close in one segment: what was asked before is answered before."""
    await talk.send(frame(TEXT, talk.voice.ask("last")), closing(1000))
    if talk.voice.door != "crosslink":
        await talk.answer("last")
    await talk.closed(1000)


def closings() -> Iterator[Case]:
    """Make class 7."""
    yield Case("7.1.1", "a message, then a close frame", _answered_close)
    twice = partial(_after_close, data=closing(1000))
    yield Case("7.1.2", "two close frames", twice)
    yield Case("7.1.3", "a ping after the close frame", partial(_after_close, data=frame(PING)))
    after = partial(_after_close, data=frame(TEXT, b"too late"))
    yield Case("7.1.4", "a text after the close frame", after)
    yield Case("7.1.5", "a close frame inside a message of fragments", _unfinished)
    yield Case("7.1.6", "a message and a close frame at once", _last_words)
    longest = b"x" * 123
    good = ((None, b""), (1000, b""), (1000, b"Hello"), (1000, longest))
    for n, (code, reason) in zip((1, 3, 4, 5), good, strict=True):
        data = closing(code, reason)
        what = "an empty close frame" if code is None else f"a reason of {len(reason)} bytes"
        yield Case(f"7.3.{n}", what, partial(_close_with, data=data, code=code))
    data = frame(CLOSE, b"a")
    yield Case("7.3.2", "a close frame of one byte", partial(_close_with, data=data, code=1002))
    data = closing(1000, longest + b"x")
    run = partial(_close_with, data=data, code=1002)
    yield Case("7.3.6", "a close frame of 126 bytes, one too many", run)
    data = closing(1000, b"\xce\xba\xed\xa0\x80")
    yield Case("7.5.1", "a reason that is no text", partial(_close_with, data=data, code=1007))
    for n, code in enumerate(MAY_CLOSE, 1):
        run = partial(_close_with, data=closing(code, b"reason"), code=code)
        yield Case(f"7.7.{n}", f"close code {code}", run)
    for n, code in enumerate(MAY_NOT_CLOSE, 1):
        run = partial(_close_with, data=closing(code), code=1002)
        yield Case(f"7.9.{n}", f"close code {code}, which no frame may carry", run)


async def _close_with(talk: Talk, data: bytes, code: int | None) -> None:
    await _close(talk, data, code)


async def _full(talk: Talk, share: float = 1, pieces: int = 1, chop: int = 0) -> None:
    """Send a message of the limit's own size, or of a part of it."""
    length = int(talk.largest * share)
    word, message = talk.voice.sized(length)
    assert len(message) == length
    size = -(-length // pieces)
    parts = [message[start : start + size] for start in range(0, length, size)]
    await talk.send(fragments(parts), chop=chop)
    await talk.answer(word)
    await talk.well()


async def _announced(talk: Talk, length: int = 0) -> None:
    """Send nothing but the header of a message that is too large."""
    await talk.send(header(TEXT, length or talk.largest + 1))
    await talk.closed(1009)


async def _too_large(talk: Talk) -> None:
    """Send all of it: a peer that reads only when it has sent must still learn why."""
    await talk.send(frame(TEXT, b"x" * (talk.largest + 1)))
    await talk.closed(1009)


async def _sum_too_large(talk: Talk) -> None:
    half = b"x" * (talk.largest // 2 + 1)
    await talk.send(frame(TEXT, half, fin=False), header(CONTINUATION, len(half)))
    await talk.closed(1009)


async def _many(talk: Talk, count: int = 200) -> None:
    words = [f"number {n}" for n in range(count)]
    for word in words:
        await talk.ask(word)
    if talk.voice.door == "crosslink":
        words = words[-1:]
    for word in words:
        await talk.answer(word)
    await talk.well()


def limits() -> Iterator[Case]:
    """Make classes 9 and 10."""
    for n, share in enumerate((1 / 64, 1 / 16, 1 / 4, 1 / 2, 1), 1):
        what = f"a text of {share:g} of the listener's limit"
        yield Case(f"9.1.{n}", what, partial(_full, share=share))
    yield Case("9.1.7", "the header of a text over the limit (ours)", _announced)
    yield Case("9.1.8", "a whole text over the limit (ours)", _too_large)
    run = partial(_announced, length=2**63 - 1)
    yield Case("9.1.9", "the header of the largest text there is (ours)", run)
    for n, pieces in enumerate((1024, 64, 4), 1):
        run = partial(_full, pieces=pieces)
        yield Case(f"9.3.{n}", f"the limit's own size in {pieces} fragments", run)
    yield Case("9.3.10", "fragments that are too large together (ours)", _sum_too_large)
    for n, chop in enumerate((64, 1024), 1):
        run = partial(_full, share=1 / 64, chop=chop)
        yield Case(f"9.5.{n}", f"a text in segments of {chop} bytes", run)
    yield Case("9.7.1", "200 requests before the first answer is read", _many)
    yield Case("10.1.1", "64 KiB in fragments of 1,300 bytes", _automatic)


async def _automatic(talk: Talk) -> None:
    word, message = talk.voice.sized(65_536)
    await talk.send(
        fragments([message[start : start + 1300] for start in range(0, len(message), 1300)])
    )
    await talk.answer(word)
    await talk.well()


async def _offered(talk: Talk) -> None:
    """Offer compression: the answer does not take it, and plain frames work."""
    voice = talk.voice
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    socket = await RawSocket.open(
        voice.daemon.address(voice.door), voice.path, {**voice.headers(), **offer}
    )
    try:
        assert socket.status == 101
        assert b"extensions" not in socket.head.lower()
        await socket.send(frame(PING, b"plain"))
        while (came := await socket.receive()).payload != b"plain":
            assert came != END
    finally:
        await socket.close()


async def _compressed(talk: Talk) -> None:
    """Compress although nobody agreed to: the first reserved bit."""
    await talk.send(frame(TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00", rsv=4))
    await talk.closed(1002)


def compression() -> Iterator[Case]:
    """Make classes 12 and 13: it is not negotiated."""
    yield Case("12.1", "an offer of compression is not taken", _offered)
    yield Case("13.1", "compressed all the same", _compressed)
