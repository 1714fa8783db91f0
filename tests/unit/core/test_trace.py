"""Turns: their numbers, their caps, and how they are cut."""

import msgspec
import pytest

from hubbub.core.runs.trace import (
    MAX_TEXT_BYTES,
    MAX_TURN_BYTES,
    TRUNCATED,
    Turn,
    check_batch,
    cut,
    encode_turn,
)
from hubbub.errors import InvalidRequest


def raw(value: object) -> msgspec.Raw:
    """Encode a value."""
    return msgspec.Raw(msgspec.json.encode(value))


def encoded(turn: Turn, index: int = 0) -> dict[str, object]:
    """Encode a turn that fits, and read it."""
    data = encode_turn(turn, index)
    assert data is not None
    value: dict[str, object] = msgspec.json.decode(data)
    return value


def test_empty_turn_has_its_number_and_no_verdict() -> None:
    """What a client leaves out is left out, but for index and verdict."""
    assert encoded(Turn(), 7) == {"index": 7, "verifier_verdict": "not_run"}


def test_turn_keeps_what_it_is_given_compactly() -> None:
    """Fields pass through, `null` as `null`, without the layout of the client's JSON."""
    turn = msgspec.json.decode(
        b'{"index":"?", "prompt":null, "tool":"t", "parameters":{ "a" : [1, 2] },'
        b'\n"output":3, "cli_outcome":{}, "verifier_verdict":"passed", "policy_rejected":true,'
        b'"unknown":1}',
        type=Turn,
    )
    data = encode_turn(turn, 1)
    assert data is not None
    assert msgspec.json.decode(data) == {
        "index": 1,
        "prompt": None,
        "tool": "t",
        "parameters": {"a": [1, 2]},
        "output": 3,
        "cli_outcome": {},
        "verifier_verdict": "passed",
        "policy_rejected": True,
    }
    assert b'{"a":[1,2]}' in data
    assert b"\n" not in data


@pytest.mark.parametrize("character", ["x", "ä", "😀"])
def test_text_is_cut_within_no_character(character: str) -> None:
    """A text at the limit stays; one byte more and it is cut to whole characters."""
    size = len(character.encode())
    full = character * (MAX_TEXT_BYTES // size)
    assert cut(full) == full
    longer = cut(full + character)
    assert longer == full + TRUNCATED
    assert cut("x" + full)[: -len(TRUNCATED)].encode().startswith(b"x")


def test_prompt_and_text_output_are_cut_and_other_output_is_not() -> None:
    """Only texts have a cap of their own."""
    long = "x" * (MAX_TEXT_BYTES + 1)
    turn = encoded(Turn(prompt=long, output=raw(long), parameters=raw([long])))
    assert turn["prompt"] == turn["output"] == "x" * MAX_TEXT_BYTES + TRUNCATED
    assert turn["parameters"] == [long]
    assert encoded(Turn(output=raw([long])))["output"] == [long]


def test_oversized_turn_loses_its_bulk() -> None:
    """Over the limit, prompt, parameters and output give way to a marker, where they are."""
    huge = raw(["x" * MAX_TURN_BYTES])
    assert encoded(Turn(prompt="p", parameters=huge, tool="t")) == {
        "index": 0,
        "prompt": TRUNCATED,
        "parameters": TRUNCATED,
        "tool": "t",
        "verifier_verdict": "not_run",
    }
    assert encoded(Turn(prompt=None, output=huge))["prompt"] is None


def test_turn_that_is_too_large_without_bulk_is_refused() -> None:
    """What cannot be cut to the limit is not kept."""
    assert encode_turn(Turn(cli_outcome=raw("x" * MAX_TURN_BYTES)), 0) is None


def test_batch_has_so_many_turns() -> None:
    """256 turns are a batch, 257 are an error."""
    check_batch([Turn()] * 256)
    with pytest.raises(InvalidRequest):
        check_batch([Turn()] * 257)
