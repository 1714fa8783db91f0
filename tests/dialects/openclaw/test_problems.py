"""Texts that name what is wrong with parameters, in the words that clients know."""

from typing import Annotated, Any, Literal

import msgspec
import pytest

from hubbub.dialects.openclaw.frames import Count, Name, Params
from hubbub.dialects.openclaw.problems import MAX_PROBLEMS, problems


class Inner(Params, frozen=True):
    """A nested object."""

    name: Name


class Example(Params, frozen=True):
    """One field of each kind."""

    session_key: Name
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200
    short: Annotated[str, msgspec.Meta(max_length=3)] = ""
    keys: Annotated[list[Name], msgspec.Meta(min_length=1, max_length=2)] = msgspec.field(
        default_factory=list
    )
    level: Literal["on", "off"] = "off"
    kind: Literal["only"] = "only"
    label: str | None = None
    flag: bool = False
    nothing: None = None
    wait: Count = 0
    inner: Inner | None = None
    flags: dict[str, bool] = msgspec.field(default_factory=dict)
    anything: Any = None
    raw: msgspec.Raw = msgspec.Raw(b"{}")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, "must have required property 'sessionKey'"),
        ({"sessionKey": ""}, "at /sessionKey: must NOT have fewer than 1 characters"),
        ({"sessionKey": 7}, "at /sessionKey: must be string"),
        ({"sessionKey": "k", "x": 1}, "at root: unexpected property 'x'"),
        ({"sessionKey": "k", "limit": 1001}, "at /limit: must be <= 1000"),
        ({"sessionKey": "k", "limit": 0}, "at /limit: must be >= 1"),
        ({"sessionKey": "k", "limit": 1.5}, "at /limit: must be integer"),
        ({"sessionKey": "k", "limit": True}, "at /limit: must be integer"),
        ({"sessionKey": "k", "wait": -1}, "at /wait: must be >= 0"),
        ({"sessionKey": "k", "short": "long"}, "at /short: must NOT have more than 3 characters"),
        ({"sessionKey": "k", "keys": []}, "at /keys: must NOT have fewer than 1 items"),
        ({"sessionKey": "k", "keys": ["a", "b", "c"]}, "at /keys: must NOT have more than 2 items"),
        ({"sessionKey": "k", "keys": ["a", 1]}, "at /keys/1: must be string"),
        ({"sessionKey": "k", "keys": "a"}, "at /keys: must be array"),
        (
            {"sessionKey": "k", "level": "x"},
            "at /level: must be equal to one of the allowed values",
        ),
        ({"sessionKey": "k", "kind": "x"}, "at /kind: must be equal to constant"),
        ({"sessionKey": "k", "label": 1}, "at /label: must be string"),
        ({"sessionKey": "k", "flag": 1}, "at /flag: must be boolean"),
        ({"sessionKey": "k", "nothing": 1}, "at /nothing: must be null"),
        ({"sessionKey": "k", "inner": {}}, "at /inner: must have required property 'name'"),
        ({"sessionKey": "k", "inner": {"name": "n", "y": 1}}, "at /inner: unexpected property 'y'"),
        ({"sessionKey": "k", "flags": []}, "at /flags: must be object"),
        ({"sessionKey": "k", "flags": {"a": 1}}, "at /flags/a: must be boolean"),
        ([], "must be object"),
        (None, "must be object"),
        ({"sessionKey": "k", "label": None, "anything": [1], "raw": 7, "inner": None}, ""),
    ],
)
def test_problem_is_named(value: object, expected: str) -> None:
    """Each kind of fault has its own text, with the place where it is."""
    assert problems(Example, value) == expected


def test_all_problems_are_named() -> None:
    """A text names every problem: missing first, then surplus, then wrong ones."""
    assert problems(Example, {"limit": 0, "x": 1}) == (
        "must have required property 'sessionKey'; at root: unexpected property 'x'; "
        "at /limit: must be >= 1"
    )


def test_text_stays_short_whatever_was_sent() -> None:
    """A hostile object does not make a hostile text."""
    text = problems(Example, {f"{n}-{'x' * 1000}": n for n in range(1000)})
    assert text.count(";") == MAX_PROBLEMS - 1
    assert len(text) < MAX_PROBLEMS * 200
