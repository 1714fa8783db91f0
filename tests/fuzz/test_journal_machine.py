"""The journal under any sequence of units, refusals, full disks, restarts and power cuts."""

import asyncio
import shutil
import sqlite3

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from hubbub.core.bus import Bus
from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction, Unit
from hubbub.core.values import Event
from hubbub.errors import NotFound, StoreUnavailable
from tests.fuzz.machines import Machine, effort


Told = tuple[str, bytes]
"""Topic and data of an event."""

TOPICS = st.sampled_from(("t", "t/a", "t/b", "u"))
UNIT = st.tuples(st.lists(TOPICS, max_size=3), st.booleans())
"""Topics of a unit's events, and whether it refuses at its end."""


class JournalMachine(Machine):
    """Whatever happens, the file holds what was acknowledged, in the order of the answers."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: list[Told] = []
        self.number = 0
        self.epoch = self.store.epoch
        self._join()

    def _join(self) -> None:
        bus = Bus(self.store)
        self.heard: list[Told] = []
        bus.listen(["*"], lambda event: self.heard.append((event.topic, bytes(event.data))))
        self.heard_from = len(self.stored)
        self.journal = Journal(self.store, bus, crash=lambda _: None)

    def _unit(self, topics: list[str], *, refuses: bool) -> tuple[Unit[list[int]], list[Told]]:
        told = []
        for topic in topics:
            self.number += 1
            told.append((topic, b"%d" % self.number))

        def run(tx: Transaction) -> list[int]:
            seqs = [tx.append(topic, "k", int(data), actor="a").seq for topic, data in told]
            for topic in topics:
                tx.execute("trim_note", topic=f"note {topic}", seq=len(topics))
            if refuses:
                raise NotFound("thing", 1)
            return seqs

        return run, told

    async def _all(self) -> list[Event]:
        return await self.store.events(["*"], after=0, upto=1 << 60, limit=1 << 20)

    @rule(units=st.lists(UNIT, min_size=1, max_size=8))
    def commit(self, units: list[tuple[list[str], bool]]) -> None:
        """Units at once: each is stored whole or not at all, and gives where its events stand."""
        made = [self._unit(topics, refuses=refuses) for topics, refuses in units]
        answers = self.run(self._gather([unit for unit, _ in made]))
        for (_, told), (_, refuses), answer in zip(made, units, answers, strict=True):
            if refuses:
                assert isinstance(answer, NotFound)
                continue
            first = len(self.stored) + 1
            assert answer == list(range(first, first + len(told)))
            self.stored += told

    async def _gather(self, units: list[Unit[list[int]]]) -> list[list[int] | BaseException]:
        return await asyncio.gather(*map(self.journal.commit, units), return_exceptions=True)

    @rule(units=st.lists(UNIT, min_size=1, max_size=4))
    def full_disk(self, units: list[tuple[list[str], bool]]) -> None:
        """A disk that refuses: nothing of the batch is stored, and everyone is told."""

        def refuse(point: str) -> None:
            if point == "before_commit":
                raise sqlite3.OperationalError("database or disk is full")

        self.at_point = refuse
        made = [self._unit(topics, refuses=refuses)[0] for topics, refuses in units]
        answers = self.run(self._gather(made))
        self.at_point = lambda _: None
        assert all(isinstance(answer, StoreUnavailable) for answer in answers)

    @rule()
    def restart(self) -> None:
        """A daemon that stops and starts again goes on where it was."""
        self.store.close()
        self._reopen()

    @rule(units=st.lists(UNIT, min_size=1, max_size=6), before=st.booleans())
    def power_cut(self, units: list[tuple[list[str], bool]], *, before: bool) -> None:
        """What lies on the disk around a commit is all of it up to that commit, or all after."""
        cut = self.path.with_name("cut")
        wanted = "before_commit" if before else "after_commit"

        def copy(point: str) -> None:
            if point == wanted and not cut.exists():
                cut.mkdir()
                for file in self.path.parent.glob("hubbub.db*"):
                    shutil.copy(file, cut)

        self.at_point = copy
        made = [(self._unit(topics, refuses=refuses), refuses) for topics, refuses in units]
        self.run(self._gather([unit for (unit, _), _ in made]))
        self.at_point = lambda _: None
        self.store.close()
        for file in self.path.parent.glob("hubbub.db*"):
            file.unlink()
        for file in cut.iterdir():
            file.rename(self.path.parent / file.name)
        cut.rmdir()
        full = [*self.stored, *(each for (_, told), no in made if not no for each in told)]
        self._reopen(full, at_least=len(self.stored), at_most=len(self.stored) if before else None)

    def _reopen(
        self, full: list[Told] | None = None, at_least: int = 0, at_most: int | None = None
    ) -> None:
        self.store = self.run(self.opened())
        assert self.store.epoch == self.epoch
        if full is not None:
            found = self.run(self._all())
            assert at_least <= len(found) <= (len(full) if at_most is None else at_most)
            self.stored = full[: len(found)]
        self._join()

    @invariant()
    def file_holds_exactly_what_was_acknowledged(self) -> None:
        """Every event once, in order, without holes, and told as it is stored."""
        found = self.run(self._all())
        assert [(event.topic, bytes(event.data)) for event in found] == self.stored
        assert [event.seq for event in found] == list(range(1, len(found) + 1))
        assert self.store.last_seq() == len(self.stored)
        assert self.heard == self.stored[self.heard_from :]


TestJournal = JournalMachine.TestCase
TestJournal.settings = effort(20)
