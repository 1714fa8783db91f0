"""clawdbot's files: found in every layout, read line by line, passed over where broken."""

import json
from pathlib import Path
from typing import Any

import pytest

from hubbub.cli.clawdbot_files import Messages, Unreadable, conversations


def write(folder: Path, entries: Any, **transcripts: str) -> Path:
    """Write a store and its transcripts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sessions.json").write_text(json.dumps(entries))
    for name, text in transcripts.items():
        (folder / f"{name}.jsonl").write_text(text)
    return folder


def test_one_folder_with_a_store(tmp_path: Path) -> None:
    """Keys stay as they are written; entries without a file are sessions too; others are not."""
    write(tmp_path, {"main": {"sessionId": "s1"}, "x": {"sessionId": "no"}, "odd": 7}, s1="12345")
    found = conversations(tmp_path)
    assert [(one.key, one.size) for one in found] == [("main", 5), ("x", 0)]
    assert found[0].transcript == tmp_path / "s1.jsonl"
    assert found[1].transcript is None


def test_state_directory_of_several_agents(tmp_path: Path) -> None:
    """Bare keys get the agent of their folder; the main agent's and nobody's stay bare."""
    write(tmp_path / "agents" / "main" / "sessions", {"main": {}, "agent:main:x": {}})
    write(tmp_path / "agents" / "scout" / "sessions", {"main": {}, "global": {}})
    write(tmp_path / "sessions", {"old": {}})
    keys = [one.key for one in conversations(tmp_path)]
    assert keys == ["main", "agent:main:x", "agent:scout:main", "global", "old"]


def test_folder_of_one_agent_knows_its_agent(tmp_path: Path) -> None:
    """Naming the folder itself gives the same keys as naming the state directory."""
    folder = write(tmp_path / "agents" / "scout" / "sessions", {"main": {}})
    assert [one.key for one in conversations(folder)] == ["agent:scout:main"]


def test_transcript_of_a_folder_that_was_moved(tmp_path: Path) -> None:
    """`sessionFile` may name a file beside the store, wherever it was once, or one elsewhere."""
    far = tmp_path / "far.jsonl"
    far.write_text("x")
    entries = {
        "a": {"sessionId": "no", "sessionFile": "/once/upon/s1.jsonl"},
        "b": {"sessionFile": str(far)},
        "c": {"sessionId": "../far"},
    }
    folder = write(tmp_path / "store", entries, s1="y")
    found = [one.transcript for one in conversations(folder)]
    assert found == [folder / "s1.jsonl", far, None]


@pytest.mark.parametrize("text", [None, "[1]", "{", b"\xff"])
def test_store_that_cannot_be_read(tmp_path: Path, text: str | bytes | None) -> None:
    """A folder without a store, and a store that is no JSON object, are named."""
    if text is not None:
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "sessions.json").write_bytes(data)
    with pytest.raises(Unreadable, match=str(tmp_path)):
        conversations(tmp_path)


def test_messages_are_the_lines_that_have_one(tmp_path: Path) -> None:
    """Headers and markers are no messages; broken lines and messages without a role count."""
    path = tmp_path / "s.jsonl"
    path.write_bytes(
        b'{"type":"session","version":3}\n\n'
        b'{"message":{"role":"user","content":"a"}}\n'
        b'{"type":"message","message":{"content":"no role"}}\n'
        b'{"type":"message","message":{"role":"assistant","content":"b"}}\n'
        b'{"message":{"role":"us'
    )
    messages = Messages(path)
    assert [json.loads(bytes(message))["content"] for message in messages] == ["a", "b"]
    assert (messages.bad_lines, messages.read_bytes) == (2, path.stat().st_size)
