"""Conversations of real clients, as they were seen on the wire, replayed."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubbub.core.values import OPERATOR
from tests.dialects.car.conftest import TOKEN, Room


CONVERSATIONS = {
    path.stem: path.read_text("utf-8").splitlines()
    for path in (Path(__file__).parent / "conversations").glob("*.jsonl")
}


def filled(value: Any, known: dict[str, Any]) -> Any:
    """Put what is known in the place of its `$name`."""
    if isinstance(value, dict):
        return {key: filled(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, known) for item in value]
    return known.get(value, value) if isinstance(value, str) else value


def learn(expected: Any, seen: Any, known: dict[str, Any]) -> None:
    """Remember what stands where a new `$name` is expected."""
    if isinstance(expected, str) and expected.startswith("$"):
        known.setdefault(expected, seen)
    elif isinstance(expected, dict) and isinstance(seen, dict):
        for key in expected.keys() & seen.keys():
            learn(expected[key], seen[key], known)
    elif isinstance(expected, list) and isinstance(seen, list):
        for one, other in zip(expected, seen, strict=False):
            learn(one, other, known)


@pytest.mark.parametrize("name", sorted(CONVERSATIONS))
async def test_conversation_goes_as_its_client_expects(room: Room, name: str) -> None:
    """Each message of the client gets exactly the answer that is written down."""
    client = room.stranger()
    known: dict[str, Any] = {
        "$token": TOKEN,
        "$agent_token": await room.access.create(OPERATOR, "ann"),
    }
    for line in CONVERSATIONS[name]:
        step = msgspec.json.decode(line)
        if "client" in step:
            client.send(filled(step["client"], known))
        elif "closed" in step:
            code, _ = await client.outbox.closing()
            assert code == step["closed"]
        else:
            seen = await client.outbox.expect(lambda _frame: True)
            learn(step["server"], seen, known)
            assert seen == filled(step["server"], known)
