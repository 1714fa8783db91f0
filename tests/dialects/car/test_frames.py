"""CAR's JSON-RPC framing."""

import msgspec
import pytest

from hubbub import errors
from hubbub.dialects.car import frames
from hubbub.dialects.car.frames import Answer, BadFrame, Call, HandshakeRequired, VersionMismatch
from hubbub.errors import HubbubError, InvalidRequest, NotFound


@pytest.mark.parametrize(
    "request_id", [b"0", b"-7", b"1180591620717411303424", b'"s"', b'""', b"null"]
)
def test_id_is_echoed_byte_for_byte(request_id: bytes) -> None:
    """Value and JSON type of an id come back as they were sent."""
    call = frames.decode(b'{"jsonrpc":"2.0","id":%b,"method":"m"}' % request_id)
    assert isinstance(call, Call)
    assert call.id is not None
    assert frames.success(call.id, 1) == b'{"jsonrpc":"2.0","id":%b,"result":1}' % request_id


@pytest.mark.parametrize("params", ["", ',"params":null', ',"params":{}'])
def test_missing_params_are_an_empty_object(params: str) -> None:
    """No params, `null` and `{}` are one."""
    call = frames.decode(f'{{"id":1,"method":"m"{params}}}')
    assert isinstance(call, Call)
    assert frames.params_of(call.params, dict, "m") == {}


def test_call_without_id_is_a_notification() -> None:
    """A missing id is no null id."""
    call = frames.decode('{"method":"m"}')
    assert call == Call("m", frames.NULL, None)


@pytest.mark.parametrize(
    ("text", "result", "error"),
    [
        ('{"id":"cb-1","result":{"a":1}}', b'{"a":1}', None),
        ('{"id":"cb-1","result":null}', b"null", None),
        ('{"id":"cb-1","error":{"code":1}}', None, b'{"code":1}'),
    ],
)
def test_id_without_method_is_an_answer(
    text: str, result: bytes | None, error: bytes | None
) -> None:
    """A client's answer has an id, no method, and a result or an error."""
    answer = frames.decode(text)
    assert isinstance(answer, Answer)
    assert (None if answer.result is None else bytes(answer.result)) == result
    assert (None if answer.error is None else bytes(answer.error)) == error


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", -32700),
        ("{", -32700),
        ("{}x", -32700),
        ('{"id":1,"method":"\\ud800"}', -32700),
        ("[" * 100_000, -32700),
        ("[]", -32600),
        ('[{"id":1,"method":"m"}]', -32600),
        ("null", -32600),
        ("17", -32600),
        ("{}", -32600),
        ('{"id":1}', -32600),
        ('{"result":1}', -32600),
        ('{"id":1,"method":7}', -32600),
        ('{"id":{},"method":"m"}', -32600),
        ('{"id":[1],"method":"m"}', -32600),
        ('{"id":true,"method":"m"}', -32600),
    ],
)
def test_what_is_no_message_is_refused_with_a_null_id(text: str, code: int) -> None:
    """Broken JSON is -32700, other JSON than one object with sense is -32600."""
    with pytest.raises(BadFrame) as refused:
        frames.decode(text)
    answer = msgspec.json.decode(refused.value.answer)
    assert (answer["id"], answer["error"]["code"]) == (None, code)
    assert answer["error"]["message"]


def test_params_of_wrong_type_name_the_method() -> None:
    """The text says which method's params are wrong, and where."""
    with pytest.raises(InvalidRequest, match=r"params of runs\.start: .*int"):
        frames.params_of(msgspec.Raw(b"{"), int, "runs.start")
    with pytest.raises(InvalidRequest, match=r"params of m: Expected `int`"):
        frames.params_of(msgspec.Raw(b'"x"'), int, "m")


def test_refusal_carries_code_text_and_data() -> None:
    """Clients show all three."""
    answer = msgspec.json.decode(frames.refusal(msgspec.Raw(b"1"), NotFound("run", "x")))
    assert answer["error"] == {
        "code": -32603,
        "message": "run x not found",
        "data": {"code": "not_found", "retryable": False},
    }


def test_errors_that_clients_recognise_by_their_words() -> None:
    """Handshake errors begin with the words that clients look for."""
    cases = ((HandshakeRequired(), -32005), (VersionMismatch("2"), -32006))
    for error, code in cases:
        answer = msgspec.json.decode(frames.refusal(frames.NULL, error))["error"]
        assert answer["code"] == code
        assert answer["message"].startswith(
            ("protocol handshake required:", "protocol version mismatch:")
        )


def test_every_error_has_a_number() -> None:
    """Each code of the error tree stands in the table."""

    def codes(error: type[HubbubError]) -> set[str]:
        return {error.code}.union(*(codes(child) for child in error.__subclasses__()))

    ours = {code for code in codes(HubbubError) if _is_ours(code)}
    assert ours <= frames.ERRORS.keys()


def _is_ours(code: str) -> bool:
    """Say whether a code is of the common tree or of this door; other doors have their own."""
    common = {vars(errors)[name].code for name in dir(errors) if _is_error(vars(errors)[name])}
    return code in common | {"method_not_found"}


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, HubbubError)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (b'{"code":-32000,"message":"raised"}', "raised"),
        (b'{"code":-32000}', '{"code":-32000}'),
        (b'"words"', "words"),
        (b"7", "7"),
    ],
)
def test_error_of_a_client_is_read_whatever_it_is(error: bytes, text: str) -> None:
    """A client's error has a text in the end."""
    assert frames.error_text(msgspec.Raw(error)) == text
