"""Frames: what is a request, what is answered, and how errors look."""

import json
from typing import Any

import pytest

from hubbub import errors
from hubbub.dialects.openclaw import frames
from hubbub.dialects.openclaw.frames import (
    Call,
    IllegalFrame,
    Name,
    NotJson,
    Params,
    Refused,
    decode,
    decode_params,
)
from tests.dialects.openclaw.clients import request


class Greeting(Params, frozen=True):
    """Parameters of a made-up method."""

    name: Name
    loud: bool = False


def refused(params: Any) -> str:
    """Give the text with which parameters are refused."""
    with pytest.raises(Refused) as caught:
        decode_params(decode(request("greet", params)), Greeting)
    return str(caught.value)


def test_request_without_parameters_has_empty_ones() -> None:
    """Missing parameters and null are an empty object."""
    assert refused(None) == "invalid greet params: must have required property 'name'"
    null = '{"type":"req","id":"1","method":"greet","params":null}'
    with pytest.raises(Refused, match="must have required property 'name'"):
        decode_params(decode(null), Greeting)


def test_parameters_of_the_wrong_shape() -> None:
    """Whatever stands for the parameters, the text says what is wrong with it."""
    assert refused([]) == "invalid greet params: must be object"
    assert refused({"name": ""}) == (
        "invalid greet params: at /name: must NOT have fewer than 1 characters"
    )


def test_good_request() -> None:
    """A request's parts come out as they went in."""
    call = decode(request("greet", {"name": "Ann", "loud": True}, "id-1"))
    assert (call.id, call.method) == ("id-1", "greet")
    assert decode_params(call, Greeting) == Greeting(name="Ann", loud=True)


@pytest.mark.parametrize(
    "text", ["", "x", "{", '{"type":', "\x00", "NaN", "-Infinity", "[" * 100_000]
)
def test_text_that_is_no_json(text: str) -> None:
    """What is no JSON is told apart from what is no request."""
    with pytest.raises(NotJson):
        decode(text)


@pytest.mark.parametrize(
    ("text", "request_id", "problem"),
    [
        ("7", "invalid", "must be object"),
        ("[]", "invalid", "must be object"),
        ('{"id":"a"}', "a", "must have required property 'method'"),
        ('{"type":"res","id":"a","method":"m"}', "a", "at /type: must be equal to constant"),
        ('{"type":"req","id":7,"method":"m"}', "invalid", "at /id: must be string"),
        ('{"type":"req","id":"","method":"m"}', "invalid", "at /id: must NOT have fewer"),
        ('{"type":"req","id":"a","method":""}', "a", "at /method: must NOT have fewer"),
        ('{"type":"req","id":"a","method":"m","x":1}', "a", "unexpected property 'x'"),
        ('{"type":"req","id":"a","method":"\\ud800"}', "a", "truncated"),
        ('{"type":"req","id":"\\ud800","method":"m"}', "invalid", "surrogate"),
        ('{"type":"req","id":"a","method":"m","\\ud800":1}', "a", "unexpected property '?'"),
        ('{"type":"req","id":"a","method":"m","x":1e999}', "a", "unexpected property 'x'"),
    ],
)
def test_json_that_is_no_request(text: str, request_id: str, problem: str) -> None:
    """The text names the problem; the answer goes to the frame's id where it has one."""
    with pytest.raises(IllegalFrame) as caught:
        decode(text)
    assert caught.value.request_id == request_id
    assert problem in str(caught.value)


def test_half_of_a_surrogate_pair_in_parameters_is_answered() -> None:
    """A text cut in the middle of an emoji is refused by an answer, not by silence."""
    call = Call(type="req", id="1", method="greet", params=frames.Json(b'{"name":"\\ud83d"}'))
    with pytest.raises(Refused, match="invalid greet params: "):
        decode_params(call, Greeting)


def test_parameters_nested_too_deeply_are_answered() -> None:
    """Nesting that no reader takes is this request's error."""
    deep = b'{"name":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    call = Call(type="req", id="1", method="greet", params=frames.Json(deep))
    with pytest.raises(Refused, match="invalid greet params: "):
        decode_params(call, Greeting)


def test_answers() -> None:
    """A good answer has a payload, also an empty one; a bad one has an error."""
    good = {"type": "res", "id": "a", "ok": True, "payload": None}
    assert json.loads(frames.response("a", None)) == good
    refusal = Refused("no", code="UNAVAILABLE", details={"x": 1}, payload={"y": 2}, retryable=True)
    assert json.loads(frames.refusal("a", refusal)) == {
        "type": "res",
        "id": "a",
        "ok": False,
        "error": {
            "code": "UNAVAILABLE",
            "message": "no",
            "details": {"x": 1},
            "retryable": True,
        },
        "payload": {"y": 2},
    }


def test_event_frame() -> None:
    """An event carries the counters only where it is given them."""
    assert json.loads(frames.event("tick", {"ts": 1})) == {
        "type": "event",
        "event": "tick",
        "payload": {"ts": 1},
    }
    with_state = json.loads(frames.event("health", {}, {"presence": 1, "health": 2}))
    assert with_state["stateVersion"] == {"presence": 1, "health": 2}


def _all_errors(kind: type[errors.HubbubError]) -> list[type[errors.HubbubError]]:
    return [kind, *[found for child in kind.__subclasses__() for found in _all_errors(child)]]


def test_every_error_of_ours_has_a_code_of_this_wire() -> None:
    """The wire's set of codes is closed; each of our codes maps into it."""
    # Other doors and the commands have errors of their own, which never come here.
    ours = ("hubbub.errors", "hubbub.core.", "hubbub.runners.", "hubbub.transport.")
    kinds = [k for k in _all_errors(errors.HubbubError) if k.__module__.startswith(ours)]
    assert not {kind.code for kind in kinds} - set(frames.ERRORS)
    assert set(frames.ERRORS.values()) == {"INVALID_REQUEST", "UNAVAILABLE"}


def test_error_of_ours_keeps_its_text() -> None:
    """Users of the command line see the text alone, so it is kept whole."""
    assert Refused.of(errors.NotFound("session", "x")).error == {
        "code": "INVALID_REQUEST",
        "message": "session x not found",
    }
    assert Refused.of(errors.Unavailable("gone")).error == {
        "code": "UNAVAILABLE",
        "message": "gone",
        "retryable": True,
    }
    assert Refused.of(ValueError("odd")).error == {
        "code": "UNAVAILABLE",
        "message": "ValueError: odd",
    }
    refused_already = Refused("x")
    assert Refused.of(refused_already) is refused_already
