"""``hubbub import clawdbot``: what is sent to the daemon, and what is told to the user."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hubbub.cli import import_clawdbot
from hubbub.cli.clawdbot_files import conversations
from hubbub.cli.import_clawdbot import Result, clawdbot, take_over
from hubbub.cli.running import Refused, Running


class RecordingDaemon(Running):
    """Takes everything, as new, but what a test makes it refuse."""

    def __init__(self, refuse: str = "") -> None:
        super().__init__(Path(), {}, 0, "")
        self.calls: list[dict[str, Any]] = []
        self.refuse = refuse

    def call(self, method: str, params: Any = None) -> Any:
        """Record a call."""
        assert method == "chat.import_session"
        if params["session"] == self.refuse:
            message = "no such key"
            raise Refused(message, "invalid_request")
        self.calls.append(params)
        return {"created": params["offset"] == 0, "added": len(params["messages"])}


def write(folder: Path, sessions: int, messages: int, size: int = 1) -> Path:
    """Write a store."""
    entries = {f"k{n}": {"sessionId": f"s{n}"} for n in range(sessions)}
    (folder / "sessions.json").write_text(json.dumps(entries))
    for n in range(sessions):
        line = {"message": {"role": "user", "content": "x" * size}}
        (folder / f"s{n}.jsonl").write_text(f"{json.dumps(line)}\n" * messages)
    return folder


def test_all_sessions_are_sent_in_numbered_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long transcript is cut by number of messages; each part says where it begins."""
    monkeypatch.setattr(import_clawdbot, "MAX_CALL_MESSAGES", 2)
    daemon = RecordingDaemon()
    result = take_over(daemon, conversations(write(tmp_path, 2, 5)))
    assert [(call["session"], call["offset"], len(call["messages"])) for call in daemon.calls] == [
        ("k0", 0, 2),
        ("k0", 2, 2),
        ("k0", 4, 1),
        ("k1", 0, 2),
        ("k1", 2, 2),
        ("k1", 4, 1),
    ]
    assert daemon.calls[0]["entry"] == {"sessionId": "s0"}
    assert result == Result(sessions=2, created=2, messages=10, refused=[])


def test_parts_are_cut_by_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part stays under its bytes; a message that is too large for any is left out."""
    monkeypatch.setattr(import_clawdbot, "MAX_CALL_BYTES", 150)
    write(tmp_path, 1, 3, 40)
    with (tmp_path / "s0.jsonl").open("a") as transcript:
        transcript.write(json.dumps({"message": {"role": "user", "content": "x" * 900}}))
    monkeypatch.setattr(import_clawdbot, "MAX_MESSAGE_BYTES", 500)
    daemon = RecordingDaemon()
    result = take_over(daemon, conversations(tmp_path))
    assert [len(call["messages"]) for call in daemon.calls] == [2, 1]
    assert (result.messages, result.unreadable) == (3, 1)


def test_session_without_messages_is_sent_too(tmp_path: Path) -> None:
    """Its entry is worth having."""
    (tmp_path / "sessions.json").write_text('{"a":{"sessionId":"s"}}')
    daemon = RecordingDaemon()
    take_over(daemon, conversations(tmp_path))
    assert [call["messages"] for call in daemon.calls] == [[]]


def test_one_refused_session_does_not_stop_the_others(tmp_path: Path) -> None:
    """What the daemon does not take is told with its reason."""
    result = take_over(RecordingDaemon(refuse="k0"), conversations(write(tmp_path, 2, 1)))
    assert result.refused == ["k0: no such key"]
    assert (result.sessions, result.created) == (2, 1)


@pytest.mark.parametrize("as_json", [True, False])
def test_command_tells_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, as_json: bool
) -> None:
    """A line for people, or JSON; what could not be read goes to standard error."""
    write(tmp_path, 1, 2)
    with (tmp_path / "s0.jsonl").open("a") as transcript:
        transcript.write("{broken")
    monkeypatch.setattr(import_clawdbot, "find", lambda _: RecordingDaemon())
    done = CliRunner().invoke(clawdbot, [str(tmp_path), *(["--json"] if as_json else [])])
    assert done.exit_code == 0
    if as_json:
        assert json.loads(done.stdout)["messages"] == 2
    else:
        assert done.stdout == "sessions: 1, new: 1; new messages: 2\n"
        assert done.stderr == "lines that could not be read: 1\n"


def test_command_fails_where_something_was_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, and the reason."""
    monkeypatch.setattr(import_clawdbot, "find", lambda _: RecordingDaemon(refuse="k0"))
    done = CliRunner().invoke(clawdbot, [str(write(tmp_path, 1, 1))])
    assert (done.exit_code, done.stderr) == (1, "hubbub: k0: no such key\n")


def test_command_fails_on_a_folder_without_a_store(tmp_path: Path) -> None:
    """Exit code 1, and what was looked for; no daemon is needed to say so."""
    done = CliRunner().invoke(clawdbot, [str(tmp_path)])
    assert done.exit_code == 1
    assert "has neither sessions.json nor" in done.stderr
