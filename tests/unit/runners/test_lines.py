"""What a command prints: plain text as it comes, or JSON lines as steps."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.core.ports import RunnerOutput
from hubbub.errors import RunnerFailed
from hubbub.runners.lines import MAX_LINE_BYTES, Lines
from tests.unit.runners.turns import text_of


def printed(*chunks: bytes) -> list[RunnerOutput]:
    """Read chunks to the end."""
    lines = Lines()
    outputs = [output for chunk in chunks for output in lines.feed(chunk)]
    return [*outputs, *lines.end()]


@given(text=st.text(alphabet='ab ä\n{}"', max_size=40), cut=st.integers(0, 60))
def test_text_is_given_on_unchanged(text: str, cut: int) -> None:
    """However it is cut into chunks, what is no step arrives to the last byte."""
    data = text.encode()
    assert text_of(printed(data[:cut], data[cut:])) == text


def test_text_is_given_on_before_its_line_ends() -> None:
    """A program that prints word by word is heard word by word."""
    lines = Lines()
    assert [output.text for output in lines.feed(b"Hel")] == ["Hel"]
    assert [output.text for output in lines.feed(b"lo\nwor")] == ["lo\n", "wor"]


def test_json_lines_are_steps() -> None:
    """Text without a line break, tools, figures and names; blanks inside do not matter."""
    outputs = printed(
        b'{"text": "Hi"}\n{"te',
        b'xt":" there"}\n{"tool":{"phase":"start","name":"ls"}}\n',
        b'{"usage":{"input":1},"model":"m","provider":"p"}',
    )
    assert text_of(outputs) == "Hi there"
    tool = outputs[2].tool
    assert tool is not None
    assert msgspec.json.decode(tool) == {"phase": "start", "name": "ls"}
    assert (outputs[3].usage, outputs[3].model, outputs[3].provider) == ({"input": 1}, "m", "p")


@pytest.mark.parametrize(
    "line", ['{"text":7}', '{"text":"a","odd":1}', "{}", '{"a":1}', "{", "[1]"]
)
def test_json_that_is_no_step_is_text(line: str) -> None:
    """A program may print JSON as its answer."""
    assert text_of(printed(line.encode() + b"\n")) == line + "\n"


@pytest.mark.parametrize(
    ("line", "text"),
    [(b'{"error":"no money"}\n', "no money"), (b'{"error":""}', "failed without a reason")],
)
def test_error_line_fails_the_turn(line: bytes, text: str) -> None:
    """The program's own words are the error, with or without a line break behind them."""
    with pytest.raises(RunnerFailed, match=text):
        printed(line)


def test_endless_json_line_fails_the_turn() -> None:
    """What looks like JSON is not held without bound; text of any length is not held at all."""
    with pytest.raises(RunnerFailed, match="JSON line of over"):
        printed(b'{"text":"' + b"x" * MAX_LINE_BYTES)
    assert len(text_of(printed(b"x" * (MAX_LINE_BYTES + 1)))) == MAX_LINE_BYTES + 1


def test_broken_utf8_is_replaced() -> None:
    """Bytes that are no UTF-8 do not fail the turn, and a character cut in two is put together."""
    assert text_of(printed(b"\xc3", b"\xa4 \xff")) == "ä �"
