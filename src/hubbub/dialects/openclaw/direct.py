"""Direct messages as system events of the recipient's main session."""

import base64
import binascii

import msgspec

from hubbub.core.chat.session_keys import MAIN, agent_id, main_key
from hubbub.core.hub import Hub
from hubbub.core.values import Principal


MAX_LINE_CHARACTERS = 500
"""Characters of a direct message that its line shows at most."""


class DirectData(msgspec.Struct, frozen=True):
    """Data of ``direct.message``."""

    message_id: str
    sender: str
    recipient: str
    payload: str
    """Base64."""

    @property
    def session_key(self) -> str:
        """The session in which the recipient hears of it."""
        return main_key(self.recipient)


class DirectLines:
    """Reads the newest direct messages of an agent from the journal, where they are kept."""

    def __init__(self, hub: Hub, limit: int) -> None:
        """Read so many lines per session at most."""
        self._hub = hub
        self._limit = limit

    async def texts(self, reader: Principal, session_key: str) -> list[str]:
        """Give the lines of a canonical session key, as far as the reader may, oldest first."""
        return [line_of(data) for _, data in await self._read(reader, session_key)]

    async def messages(self, reader: Principal, session_key: str) -> list[msgspec.Raw]:
        """Give the same lines as messages of the history."""
        found = await self._read(reader, session_key)
        return [msgspec.Raw(msgspec.json.encode(message_of(data, at))) for at, data in found]

    async def _read(self, reader: Principal, session_key: str) -> list[tuple[int, DirectData]]:
        prefix, _, rest = session_key.partition(":")
        agent, _, name = rest.partition(":")
        if prefix != "agent" or name != MAIN or not may_read(reader, agent):
            return []
        # An agent's name may have letters that its session's key has not.
        known = (shown.agent for shown in self._hub.presence.list())
        names = {agent, *(other for other in known if agent_id(other) == agent)}
        found: list[tuple[int, int, DirectData]] = []
        for other in names:
            rows = await self._hub.store.rows(
                "direct_newest", topic=f"direct/{other}", limit=self._limit
            )
            found += [
                (seq, at, msgspec.json.decode(data, type=DirectData)) for seq, at, data in rows
            ]
        found.sort(key=lambda line: line[0])
        return [(at, data) for _, at, data in found[-self._limit :]]


def may_read(reader: Principal, agent: str) -> bool:
    """Say who may read an agent's direct messages: it itself, and no other agent.

    Args:
        agent: Name of the agent, or its id in session keys.
    """
    return reader.agent is None or agent_id(reader.agent) == agent_id(agent)


def line_of(data: DirectData) -> str:
    """Give the text that an agent reads of a direct message."""
    return f"direct message from {data.sender}: {readable(data.payload)}"


def message_of(data: DirectData, at_ms: int) -> dict[str, object]:
    """Give a direct message as a message of the history."""
    content = [{"type": "text", "text": f"System: {line_of(data)}"}]
    return {"role": "system", "content": content, "timestamp": at_ms}


def readable(payload: str) -> str:
    """Give the text of a base64 payload, cut; or its size, if it is no text."""
    try:
        data = base64.b64decode(payload)
    except binascii.Error:
        return "(unreadable)"
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return f"({len(data)} bytes)"
    if len(text) > MAX_LINE_CHARACTERS:
        text = text[:MAX_LINE_CHARACTERS] + "…"
    return text
