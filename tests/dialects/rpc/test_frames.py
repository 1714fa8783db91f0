"""What is no call is refused under its id, where that can be read."""

import json

import pytest

from hubbub.dialects.rpc import frames


DEEP = "[" * 5_000 + "]" * 5_000


@pytest.mark.parametrize(
    ("text", "code", "call_id"),
    [
        (f'{{"jsonrpc":"2.0","id":1,"method":"m","params":{DEEP}}}', -32700, 1),
        (f'{{"id":"x\\"y\\u00e9","params":{DEEP}}}', -32700, 'x"y\u00e9'),
        ('{"id": 7 , "method" : "m", "params": {', -32700, 7),
        ('{"method":"m","id":-4,', -32700, -4),
        ('{"jsonrpc":"1.0","id":8,"method":"m"}', -32600, 8),
        ('{"jsonrpc":"2.0","id":9}', -32600, 9),
        ('{"id":10,"method":2}', -32600, 10),
        # Not found, or not to be told from what is no id.
        ('{"params":{"id":3},"id":1', -32700, None),
        ('{"method":"\\",\\"id\\":5",', -32700, None),
        ('{"method":"id","x":1,"id":5', -32700, None),
        ('{"id":01,"method":"m"}', -32700, None),
        ('{"id":[1],"method":2}', -32600, None),
        ('[{"id":3}]', -32600, None),
        ('{"method":"' + "m" * 1024 + '","id":3', -32700, None),
        (b'{"id":"\xff","method":', -32700, None),
        (b'{"id":5,"method":"\xff"', -32700, 5),
        (b"", -32700, None),
    ],
)
def test_bad_frame_is_answered_under_its_id(
    text: str | bytes, code: int, call_id: str | int | None
) -> None:
    """So that who sent it does not wait; the id is null where it stands behind what is nested."""
    with pytest.raises(frames.BadFrame) as refused:
        frames.decode(text)

    answer = json.loads(refused.value.answer)
    assert (answer["error"]["code"], answer["id"]) == (code, call_id)


def test_depth_is_named_in_the_refusal() -> None:
    """Who nests too deeply learns that it is this."""
    with pytest.raises(frames.BadFrame, match="nested too deeply"):
        frames.decode(f'{{"jsonrpc":"2.0","id":1,"method":"m","params":{DEEP}}}')
