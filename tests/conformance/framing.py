"""Classes 1 to 5: framing, pings and pongs, reserved bits, opcodes, fragmentation."""

from collections.abc import Iterator
from functools import partial

from tests.conformance.raw import BINARY, CONTINUATION, PING, PONG, TEXT, fragments, frame
from tests.conformance.talk import Case, Talk


LENGTHS = (125, 126, 127, 128, 65_535)
"""Where the form of a frame's length changes."""


async def _text(talk: Talk, length: int, chop: int = 0) -> None:
    word, message = talk.voice.sized(length)
    assert len(message) == length
    await talk.send(frame(TEXT, message), chop=chop)
    await talk.answer(word)
    await talk.well()


async def _passed_over(talk: Talk, opcode: int, length: int, chop: int = 0) -> None:
    await talk.send(frame(opcode, b"\xfe" * length if opcode == BINARY else b""), chop=chop)
    await talk.well()


async def _binary_request(talk: Talk) -> None:
    message = talk.voice.ask("in binary")
    await talk.send(frame(BINARY, message))
    if talk.voice.binary == "text":
        await talk.answer("in binary")
    await talk.well()


def framing() -> Iterator[Case]:
    """Make class 1."""
    yield Case("1.1.1", "an empty text", partial(_passed_over, opcode=TEXT, length=0))
    for n, length in enumerate(LENGTHS, 2):
        yield Case(f"1.1.{n}", f"a text of {length} bytes", partial(_text, length=length))
    whole = partial(_text, length=65_536)
    yield Case("1.1.7", "a text of 65,536 bytes", whole)
    chopped = partial(_text, length=65_536, chop=997)
    yield Case("1.1.8", "the same in segments of 997 bytes", chopped)
    for n, length in enumerate((0, *LENGTHS, 65_536), 1):
        run = partial(_passed_over, opcode=BINARY, length=length)
        yield Case(f"1.2.{n}", f"{length} bytes that are no text, as a binary message", run)
    run = partial(_passed_over, opcode=BINARY, length=65_536, chop=997)
    yield Case("1.2.8", "the same in segments of 997 bytes", run)
    yield Case("1.2.9", "the application message as a binary message (ours)", _binary_request)


async def _pings(talk: Talk, payloads: list[bytes], chop: int = 0) -> None:
    await talk.send(*(frame(PING, payload) for payload in payloads), chop=chop)
    for payload in payloads:
        await talk.pong(payload)
    await talk.well()


async def _pongs(talk: Talk, *, ping: bool) -> None:
    await talk.send(frame(PONG, b"nobody asked"), frame(PONG))
    if ping:
        await talk.send(frame(PING, b"but now"))
        await talk.pong(b"but now")
    await talk.well()


async def _refused(talk: Talk, data: bytes, code: int = 1002) -> None:
    await talk.send(data)
    await talk.closed(code)


def pings() -> Iterator[Case]:
    """Make class 2."""
    for n, payload in enumerate(
        (b"", b"Hello", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125), 1
    ):
        yield Case(
            f"2.{n}", f"a ping with {len(payload)} bytes", partial(_pings, payloads=[payload])
        )
    run = partial(_refused, data=frame(PING, b"\xfe" * 126))
    yield Case("2.5", "a ping with 126 bytes, one too many", run)
    run = partial(_pings, payloads=[b"\xfe" * 125], chop=1)
    yield Case("2.6", "a ping in segments of one byte", run)
    yield Case("2.7", "pongs that nobody asked for", partial(_pongs, ping=False))
    yield Case("2.8", "the same with a payload", partial(_pongs, ping=False))
    yield Case("2.9", "the same, then a ping", partial(_pongs, ping=True))
    ten = [b"payload %d" % n for n in range(10)]
    yield Case("2.10", "ten pings at once", partial(_pings, payloads=ten))
    yield Case("2.11", "the same in segments of one byte", partial(_pings, payloads=ten, chop=1))


async def _between(talk: Talk, bad: bytes, chop: int = 0) -> None:
    """Send a good message, then a bad frame, then more: the first is answered."""
    silent = talk.voice.door == "crosslink"  # it answers nothing before the bad frame is read
    good = frame(TEXT, talk.voice.ask("before"))
    await talk.send(good, bad, frame(TEXT, talk.voice.ask("after")), frame(PING), chop=chop)
    if not silent:
        await talk.answer("before")
    await talk.closed(1002)


def reserved_bits() -> Iterator[Case]:
    """Make class 3."""
    for rsv in range(1, 8):
        opcode, payload = (PING, b"") if rsv == 6 else (TEXT, b"Hello")
        bad = frame(opcode, payload, rsv=rsv)
        run = partial(_refused, data=bad) if rsv in (1, 5, 7) else partial(_between, bad=bad)
        if rsv == 4:
            run = partial(_between, bad=bad, chop=1)
        yield Case(f"3.{rsv}", f"reserved bits {rsv:03b} without an extension", run)


def opcodes() -> Iterator[Case]:
    """Make class 4."""
    for group, first in (("4.1", 3), ("4.2", 11)):
        for n in range(5):
            bad = frame(first + n, b"" if n % 2 else b"payload")
            run = partial(_refused, data=bad) if n < 2 else partial(_between, bad=bad)
            yield Case(f"{group}.{n + 1}", f"opcode {first + n}, which has no meaning", run)


async def _pieces(talk: Talk, count: int, ping: bytes | None = None, chop: int = 0) -> None:
    word = "a message in fragments"
    message = talk.voice.ask(word)
    size = -(-len(message) // count)
    pieces = [message[start : start + size] for start in range(0, len(message), size)]
    frames = [
        frame(CONTINUATION if n else TEXT, piece, fin=n == len(pieces) - 1)
        for n, piece in enumerate(pieces)
    ]
    between = b"" if ping is None else frame(PING, ping)
    await talk.send(between.join(frames), chop=chop)
    if ping is not None:
        for _ in frames[1:]:
            await talk.pong(ping)
    await talk.answer(word)
    await talk.well()


async def _two(talk: Talk) -> None:
    """Send a text while another is not complete."""
    await talk.send(frame(TEXT, b"a", fin=False), frame(TEXT, talk.voice.ask("b")))
    await talk.closed(1002)


async def _after_whole(talk: Talk) -> None:
    """Send a complete message of fragments, then a continuation of nothing."""
    message = talk.voice.ask("whole")
    await talk.send(fragments([message[:9], message[9:]]))
    await talk.answer("whole")
    await talk.send(frame(CONTINUATION, b"more", fin=False), frame(TEXT, talk.voice.ask("b")))
    await talk.closed(1002)


def fragmentation() -> Iterator[Case]:
    """Make class 5."""
    for n, opcode in ((1, PING), (2, PONG)):
        run = partial(_refused, data=frame(opcode, b"a", fin=False) + frame(CONTINUATION, b"b"))
        yield Case(f"5.{n}", "a control frame in fragments", run)
    for n, chop in ((3, 0), (4, 7), (5, 1)):
        how = f"in segments of {chop} bytes" if chop else "at once"
        yield Case(f"5.{n}", f"a text of two fragments {how}", partial(_pieces, count=2, chop=chop))
    for n, chop in ((6, 0), (7, 7), (8, 1)):
        run = partial(_pieces, count=2, ping=b"between", chop=chop)
        yield Case(f"5.{n}", "the same with a ping between the fragments", run)
    for first, fin in ((9, True), (12, False)):
        bad = frame(CONTINUATION, b"of nothing", fin=fin)
        for n, chop in enumerate((0, 7, 1), first):
            what = f"a continuation of nothing, its last bit {fin:d}"
            yield Case(f"5.{n}", what, partial(_chopped, data=bad, chop=chop))
    yield Case("5.15", "a whole message, then a continuation of nothing", _after_whole)
    for n, fin in ((16, False), (17, True)):
        bad = frame(CONTINUATION, b"of nothing", fin=fin) + frame(TEXT, b"a", fin=False)
        yield Case(
            f"5.{n}", "a continuation of nothing, then fragments", partial(_refused, data=bad)
        )
    yield Case("5.18", "a second text before the first has ended", _two)
    for n, chop in ((19, 0), (20, 1)):
        run = partial(_pieces, count=5, ping=b"pong!", chop=chop)
        yield Case(f"5.{n}", "five fragments, with a ping after each", run)


async def _chopped(talk: Talk, data: bytes, chop: int) -> None:
    await talk.send(data, frame(TEXT, talk.voice.ask("after")), chop=chop)
    await talk.closed(1002)
