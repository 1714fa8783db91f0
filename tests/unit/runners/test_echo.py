"""The built-in runner."""

import pytest

from hubbub.runners.echo import PIECES, EchoRunner
from tests.unit.runners.turns import collect, text_of, turn


@pytest.mark.parametrize("message", ["hi", "a b", " two  blanks ", "one two three four five", ""])
async def test_echo_says_what_it_was_told(message: str) -> None:
    """The pieces put together are the message, to the last blank."""
    outputs = await collect(EchoRunner(), turn(message))
    assert text_of(outputs) == message
    assert len(outputs) <= PIECES + 1
    assert (outputs[-1].model, outputs[-1].provider) == ("echo", "hubbub")


async def test_echo_streams() -> None:
    """A longer message comes in several pieces."""
    assert len([o for o in await collect(EchoRunner(), turn("a b c d e f")) if o.text]) > 1
