"""Notes what a daemon says is so, place by place, and asks later what was so there."""

from dataclasses import dataclass, field
from typing import Any

from tests.clients.frames import Frame
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually


@dataclass
class Note:
    """What was seen at one place.

    Attributes:
        room: The answer of `room.snapshot`.
        answers: All other answers, by what was asked.
    """

    room: Frame
    answers: dict[str, Any]

    @property
    def seq(self) -> int:
        """The place."""
        return int(self.room["position"]["seq"])


@dataclass
class Recorder:
    """Asks one connection for everything that a view of the room would show.

    Attributes:
        notes: What was seen, one note for each place.
        issues: How many issues there ever were.
        runs: Every run that was ever seen.
        sessions: Every session that was ever seen.
    """

    notes: dict[int, Note] = field(default_factory=dict)
    issues: int = 0
    runs: dict[str, None] = field(default_factory=dict)
    sessions: dict[str, None] = field(default_factory=dict)

    async def note(self, rpc: RpcSocket) -> Note:
        """Note how things stand, at one place, however often that takes."""

        async def look() -> Note | None:
            room = await rpc.call("room.snapshot")
            self._meet(room)
            answers = await self.ask(rpc)
            after = await rpc.call("room.snapshot")
            assert after == room or after["position"] != room["position"]
            return Note(room, answers) if after == room else None

        note = await eventually(look, what="a moment in which nothing happens")
        assert note is not None
        return self.notes.setdefault(note.seq, note)

    async def ask(self, rpc: RpcSocket, **at: object) -> dict[str, Any]:
        """Ask for the conversations, traces and issues that are known, now or `at` a place."""
        answers: dict[str, Any] = {}
        for session in self.sessions:
            page = await rpc.call("chat.history", {"session": session, **at})
            for turn in page["running"]:
                turn.pop("text", None)  # what was said half is not kept
            short = await rpc.call("chat.history", {"session": session, "limit": 2, **at})
            answers[f"chat {session}"] = page
            answers[f"end of chat {session}"] = short["messages"]
        for run_id in self.runs:
            trace = await rpc.outcome("runs.trace", {"run_id": run_id, **at})
            answers[f"run {run_id}"] = trace
        for number in range(1, self.issues + 1):
            answers[f"issue {number}"] = await rpc.outcome("issues.get", {"id": number, **at})
        return answers

    def _meet(self, room: Frame) -> None:
        self.runs.update(dict.fromkeys(run["run_id"] for run in room["runs"]))
        self.sessions.update(dict.fromkeys(one["session"] for one in room["sessions"]))
        self.issues = max([self.issues, *(issue["id"] for issue in room["issues"])])
