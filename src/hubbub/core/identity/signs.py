"""Signs of life: what other services tell about an agent is an act of that agent.

So an agent that takes a turn in a chat, records turns of a run or takes a lock is heard,
whichever door that came through.
"""

import msgspec

from hubbub.core.bus import Bus
from hubbub.core.identity.presence import Presence
from hubbub.core.values import Event


class _Subject(msgspec.Struct, frozen=True):
    """What is read in other services' events."""

    agent: str = ""
    issue_id: int = 0
    status: str = ""


_subject = msgspec.json.Decoder(_Subject)


class SignsOfLife:
    """Listens on the bus and tells presence."""

    def __init__(self, presence: Presence, bus: Bus) -> None:
        """Listen from now on."""
        self._presence = presence
        # The agent at work in each chat, by topic: most of a turn's events do not name it.
        self._turns: dict[str, str] = {}
        bus.listen(("runs/*",), self._run)
        bus.listen(("chat/*",), self._chat)
        bus.listen(("locks/*",), self._lock)

    def _run(self, event: Event) -> None:
        if event.kind not in ("run.started", "run.turn", "run.ended"):
            return
        subject = _subject.decode(event.data)
        # A run that was cut off or cancelled ended without its agent.
        if event.kind != "run.ended" or subject.status == "completed":
            self._presence.heard(subject.agent, "")

    def _chat(self, event: Event) -> None:
        topic, kind = event.topic, event.kind
        if kind == "chat.started":
            self._turns[topic] = _subject.decode(event.data).agent
        agent = self._turns.get(topic)
        if agent is None:
            return
        if kind in ("chat.started", "chat.delta", "chat.tool", "chat.final"):
            self._presence.heard(agent, "")
        if kind in ("chat.final", "chat.error", "chat.aborted"):
            del self._turns[topic]

    def _lock(self, event: Event) -> None:
        """Who takes a lock works on its issue; who gives it back does so no longer."""
        if event.kind in ("lock.claimed", "lock.stolen"):
            subject = _subject.decode(event.data)
            self._presence.heard(subject.agent, "", active_issue_id=subject.issue_id)
        elif event.kind == "lock.released":
            subject = _subject.decode(event.data)
            self._presence.finished(subject.agent, subject.issue_id)
