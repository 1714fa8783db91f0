"""What the one-room tests look at: topics as x0x sees them, and the journal."""

import json
from typing import Any

from tests.clients.rpc import RpcSocket
from tests.clients.x0x import X0xSocket


async def next_data(socket: X0xSocket, count: int = 1) -> list[tuple[str, Any]]:
    """Return the next messages as (topic, the JSON that their payload holds)."""
    return [(topic, json.loads(payload)) for topic, payload in await socket.messages(count)]


async def kinds_of(rpc: RpcSocket, topic: str) -> list[str]:
    """Return the kinds of a topic's events in the journal, oldest first."""
    return [event["kind"] for event in await rpc.journal(topics=[topic])]
