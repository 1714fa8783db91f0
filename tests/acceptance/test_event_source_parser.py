"""The event stream parser, against the examples and rules of the HTML standard."""

import pytest

from tests.acceptance.event_source import Message, Parser


@pytest.mark.parametrize(
    ("stream", "messages"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10", "")]),
        (
            b": test stream\n\ndata: first\nid: 1\n\ndata:second\nid\n\ndata:  third\n\n",
            [("message", "first", "1"), ("message", "second", ""), ("message", " third", "")],
        ),
        (b"data\n\ndata\ndata\n\ndata:", [("message", "", ""), ("message", "\n", "")]),
        (b"data:test\n\ndata: test\n\n", [("message", "test", ""), ("message", "test", "")]),
        (b"event: add\ndata: 7\n\ndata: 8\n\n", [("add", "7", ""), ("message", "8", "")]),
        (b"id: 4\n\ndata: x\n\n", [("message", "x", "4")]),
        (b"id: a\0b\ndata: x\n\n", [("message", "x", "")]),
        (b"data: a\r\ndata: b\r\rdata: c\n\n", [("message", "a\nb", ""), ("message", "c", "")]),
        (b"\xef\xbb\xbfdata: x\n\n", [("message", "x", "")]),
        (b"nonsense: 1\nevent: e\n\ndata: x\n\n", [("message", "x", "")]),
    ],
)
def test_stream_is_read_by_the_letter(stream: bytes, messages: list[tuple[str, str, str]]) -> None:
    """Whole or byte by byte, a stream gives the messages that a browser dispatches."""
    wanted = [Message(*message) for message in messages]
    bytewise = Parser()

    assert Parser().feed(stream) == wanted
    assert [m for at in range(len(stream)) for m in bytewise.feed(stream[at : at + 1])] == wanted


def test_retry_sets_the_pause() -> None:
    """Only a retry of digits changes the pause, which is given in milliseconds."""
    parser = Parser()

    parser.feed(b"retry: 1500\nretry: soon\n\n")

    assert parser.retry_s == 1.5
