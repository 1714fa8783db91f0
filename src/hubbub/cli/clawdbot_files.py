"""The files in which clawdbot (later moltbot, then OpenClaw) keeps conversations: reading only.

``<state>/agents/<agentId>/sessions/sessions.json`` maps session keys to entries, and beside it
lies ``<sessionId>.jsonl`` for each transcript: one JSON object a line, of which those with a
``message`` are the conversation.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec


STORE = "sessions.json"
MAIN_AGENT = "main"


class Unreadable(Exception):
    """A store cannot be read."""


class Conversation(msgspec.Struct, frozen=True):
    """One session of a store."""

    key: str
    """With the agent whose folder it lies in."""
    entry: dict[str, Any]
    transcript: Path | None
    size: int
    """Bytes of the transcript."""


class _Line(msgspec.Struct, frozen=True):
    message: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Head(msgspec.Struct, frozen=True):
    role: str


class Messages:
    """Reads a transcript; counts what it passes over."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        self._path = path
        self.bad_lines = 0
        """Lines that are no JSON, and messages without a role."""
        self.read_bytes = 0

    def __iter__(self) -> Iterator[msgspec.Raw]:
        """Give the messages in order."""
        with self._path.open("rb") as file:
            for line in file:
                self.read_bytes += len(line)
                if not line.strip():
                    continue
                try:
                    message = msgspec.json.decode(line, type=_Line).message
                    if not isinstance(message, msgspec.UnsetType):
                        msgspec.json.decode(message, type=_Head)
                        yield message
                except (msgspec.DecodeError, UnicodeDecodeError):
                    self.bad_lines += 1


def conversations(folder: Path) -> list[Conversation]:
    """Find all sessions in a state directory, or in one folder with a ``sessions.json``.

    Raises:
        Unreadable: There is no such file, or one is not a JSON object of entries.
    """
    stores = [folder / STORE] if (folder / STORE).is_file() else []
    stores += sorted(folder.glob(f"agents/*/sessions/{STORE}"))
    stores += [path for path in (folder / "sessions" / STORE,) if path.is_file()]
    if not stores:
        message = f"{folder} has neither {STORE} nor agents/*/sessions/{STORE}"
        raise Unreadable(message)
    return [found for store in stores for found in _of_store(store)]


def _of_store(store: Path) -> Iterator[Conversation]:
    try:
        entries = msgspec.json.decode(store.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"cannot read {store}: {error}"
        raise Unreadable(message) from error
    folder = store.parent.absolute()
    in_agents = folder.name == "sessions" and folder.parent.parent.name == "agents"
    agent = folder.parent.name if in_agents else MAIN_AGENT
    for key, entry in entries.items():
        if isinstance(entry, dict):
            transcript = _transcript(folder, entry)
            size = transcript.stat().st_size if transcript is not None else 0
            yield Conversation(_with_agent(key, agent), entry, transcript, size)


def _with_agent(key: str, agent: str) -> str:
    """Give a bare key the agent that its folder stands for."""
    is_bare = not key.lower().startswith("agent:") and key not in ("global", "unknown")
    return f"agent:{agent}:{key}" if is_bare and agent != MAIN_AGENT else key


def _transcript(folder: Path, entry: dict[str, Any]) -> Path | None:
    """Find a transcript; a moved folder's ``sessionFile`` points to where it was."""
    session_id, file = entry.get("sessionId"), entry.get("sessionFile")
    names = [f"{session_id}.jsonl"] if isinstance(session_id, str) else []
    names += [Path(file).name] if isinstance(file, str) else []
    for name in names:
        path = folder / Path(name).name
        if path.is_file():
            return path
    elsewhere = Path(file) if isinstance(file, str) else None
    return elsewhere if elsewhere is not None and elsewhere.is_file() else None
