"""The chat under any mix of sends, retries, aborts, resets, injections, failures and restarts."""

import asyncio

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from hubbub.core.chat.conversation import InjectRequest
from hubbub.core.values import OPERATOR
from hubbub.errors import IdempotencyConflict, NotFound
from tests.fuzz.machines import Machine, effort
from tests.unit.core.chat_room import PATIENCE_S, Played, Room


KEYS = st.sampled_from([f"k{n}" for n in range(8)])
SESSIONS = st.sampled_from(("main", "other"))
ENDS = ("chat.final", "chat.error", "chat.aborted")


class ChatMachine(Machine):
    """Histories are consistent, a key is one message, and each run ends exactly once."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, tuple[str, str]] = {}
        """Session and message of each key that was accepted."""
        self.history: dict[str, list[tuple[str, str]]] = {"main": [], "other": []}
        """What a session's history must hold; answers stand where they were told."""
        self.room = self.run(self._room())
        self.taken: set[str] = set()
        """Runs that a runner was given."""

    async def _room(self) -> Room:
        room = Room(self.store, self.clock)
        await room.runs.load()
        await room.chat.load()
        room.chat.start()
        return room

    async def _events(self) -> list[tuple[str, dict[str, str]]]:
        """Give what was told of chats since the journal began."""
        events = await self.store.events(["chat/*"], after=0, upto=1 << 60, limit=1 << 20)
        return [(event.kind, msgspec.json.decode(event.data)) for event in events]

    async def _settle(self) -> None:
        """Wait until nothing moves that the test does not move."""
        for _ in range(3):
            await self.room.journal.settled()
            await asyncio.sleep(0)

    def _live(self) -> list[Played]:
        return [turn for turn in self.room.runner.turns if not turn.dropped.is_set()]

    @rule(key=KEYS, session=SESSIONS, message=st.sampled_from(("hello", "more", "x y")))
    def send(self, key: str, session: str, message: str) -> None:
        """A new key is a message; a known one is not, and another body under it is refused."""

        async def send() -> None:
            known = self.sent.get(key)
            try:
                sent = await self.room.send(key, message, session=session)
            except IdempotencyConflict:
                assert known is not None
                assert known != (session, message)
            else:
                assert known in (None, (session, message))
                assert (sent.status == "started") == (known is None)
                self.sent[key] = (session, message)
            await self._settle()

        self.run(send())

    @rule(key=KEYS, count=st.integers(2, 5))
    def twins(self, key: str, count: int) -> None:
        """Twins of a key are one message."""

        async def send() -> None:
            is_new = key not in self.sent
            session, message = self.sent.setdefault(key, ("main", "twin"))
            work = [self.room.send(key, message, session=session) for _ in range(count)]
            answers = await asyncio.gather(*work)
            assert sum(answer.status == "started" for answer in answers) == is_new
            await self._settle()

        self.run(send())

    @precondition(lambda self: self._live())
    @rule(pick=st.integers(0, 7), how=st.sampled_from(("answers", "fails", "says nothing")))
    def turn_ends(self, pick: int, how: str) -> None:
        """A running turn answers, or does not."""

        async def end() -> None:
            live = self._live()
            turn = live[pick % len(live)]
            if how == "answers":
                turn.say(f"answer to {turn.asked.run_id}")
            if how == "fails":
                turn.fail(RuntimeError("no luck"))
            else:
                turn.finish()
            run_id = turn.asked.run_id
            kinds = self.room.ears.kinds
            await self.room.ears.until(lambda: any(end in kinds(run_id) for end in ENDS))
            await self._settle()

        self.run(end())

    @rule(session=SESSIONS, key=st.one_of(st.none(), KEYS))
    def abort(self, session: str, key: str | None) -> None:
        """Abort one run, or all of a session."""

        async def abort() -> None:
            known = self.sent.get(key) if key is not None else None
            if known is None or known[0] == session:
                await self.room.chat.abort(OPERATOR, session, key)
            await self._settle()

        self.run(abort())

    @rule(session=SESSIONS, text=st.sampled_from(("note", "hm")))
    def inject(self, session: str, text: str) -> None:
        """Put words into the agent's mouth."""

        async def inject() -> None:
            request = InjectRequest(session_key=session, message=text)
            try:
                await self.room.chat.inject(OPERATOR, request)
            except NotFound:
                assert session not in {known for known, _ in self.sent.values()}
            await self._settle()

        self.run(inject())

    @rule(session=SESSIONS)
    def reset(self, session: str) -> None:
        """Begin anew: the history is empty."""

        async def reset() -> None:
            await self.room.chat.sessions.reset(OPERATOR, session)
            assert await self.room.texts(session) == []
            await self._settle()

        self.run(reset())

    @rule(graceful=st.booleans())
    def restart(self, *, graceful: bool) -> None:
        """Stop, or crash, and begin again with what is stored."""

        async def restart() -> None:
            if graceful:
                await self.room.chat.close()
            await self.room.journal.settled()

        before = self.room
        self.run(restart())
        self.store.close()
        self.store = self.run(self.opened())
        self.room = self.run(self._room())
        self.run(self._settle())
        self.run(self._abandon(before))

    async def _abandon(self, room: Room) -> None:
        """Let the tasks of a crashed daemon go; its store tells it nothing any more."""
        for turn in room.runner.turns:
            turn.finish()

    @invariant()
    def what_is_told_and_what_is_kept_agree(self) -> None:
        """Per run at most one end; each history is what was told since its last reset."""

        async def look() -> None:
            events = await self._events()
            ends = [data["run_id"] for kind, data in events if kind in ENDS]
            accepted = [data["run_id"] for kind, data in events if kind == "chat.accepted"]
            assert len(ends) == len(set(ends))
            assert sorted(accepted) == sorted(self.sent)
            for session in ("main", "other"):
                users = [text for role, text in await self.room.texts(session) if role == "user"]
                assert users == self._users(events, f"agent:main:{session}")

        self.run(look())

    def _users(self, events: list[tuple[str, dict[str, str]]], session: str) -> list[str]:
        users: list[str] = []
        for kind, data in events:
            if data.get("session_key") != session:
                continue
            if kind == "chat.session" and data["change"] == "reset":
                users = []
            elif kind == "chat.accepted":
                users.append(self.sent[data["run_id"]][1])
        return users

    def finish(self) -> None:
        """Let everything run to its end: each run has one, and nothing is left."""

        async def drain() -> None:
            async with asyncio.timeout(PATIENCE_S):
                while self.room.chat.running():
                    for turn in self._live():
                        turn.finish()
                    await self._settle()
                    await asyncio.sleep(0.001)
            events = await self._events()
            ends = [data["run_id"] for kind, data in events if kind in ENDS]
            assert sorted(ends) == sorted(self.sent)
            await self.room.chat.close()

        self.run(drain())


TestChat = ChatMachine.TestCase
TestChat.settings = effort(15)
