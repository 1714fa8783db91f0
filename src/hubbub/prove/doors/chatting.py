"""Talk with an agent, the same at every door that has chats."""

from collections.abc import Awaitable, Callable
from typing import Any

from hubbub.prove.desk import Ask, Desk, Reply
from hubbub.prove.doors.wire import asked_streams
from hubbub.prove.history import Found


SESSION_MESSAGES = 200
"""Messages sent in one session; with the replies, fewer than a history gives."""
HISTORY = 1000
"""Messages of a history that are read."""

Send = Callable[[str, str, str], Awaitable[str]]
"""Sends session, message and key, and gives the run's id; raises as ``Desk.ask`` wants it."""

ReadHistory = Callable[[str, int], Awaitable[list[dict[str, Any]]]]
"""Reads the newest messages of a session, at most so many."""


async def talk(desk: Desk, agent: str, send: Send, *, pauses: int = 1) -> None:
    """Send messages until it is time to stop; the run's id, the message and the key are one.

    Args:
        pauses: How many of the usual pauses stand between two messages.
    """
    number = 0
    while not desk.stopping.is_set():
        session = f"agent:{agent}:{desk.name}-{number // SESSION_MESSAGES}"
        await _say(desk, session, send)
        number += 1
        for _ in range(pauses):
            await desk.pause()


async def _say(desk: Desk, session: str, send: Send) -> None:
    mark, topic = desk.mark(), f"chat/{session}"
    ask = Ask(
        verb="chat.send",
        op=accepted(topic, mark),
        stream=topic,
        reads=("event", "chat"),
        key=mark,
    )

    async def call() -> Reply:
        return Reply(value=await send(session, mark, mark))

    await desk.ask(ask, call)


async def look_at_history(desk: Desk, read: ReadHistory) -> None:
    """Record what the histories show of the sessions that this door's writers used."""
    for topic in asked_streams(desk, "chat.send"):
        for message in await read(topic.removeprefix("chat/"), HISTORY):
            if message["role"] == "user":
                what = accepted(topic, text_of(message))
                desk.found(Found(at=0, door=desk.door, read="chat", what=what, stream=topic))


def accepted(topic: str, mark: str) -> str:
    """Give the label of a message."""
    return f"{topic} chat.accepted {mark}"


def text_of(message: dict[str, Any]) -> str:
    """Give the text of a message, whether it stands as such or in blocks."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content)
