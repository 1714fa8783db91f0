"""Idempotency keys under any mix of retries, twins, other bodies, other callers and restarts."""

import asyncio
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from hubbub.core.bus import Bus
from hubbub.core.idempotency import digest, once
from hubbub.core.journal import Journal
from hubbub.core.ports import Transaction, Unit
from hubbub.core.values import Principal
from hubbub.errors import IdempotencyConflict, NotFound
from tests.fuzz.machines import Machine, effort


class Call(NamedTuple):
    """One request: who sends which body under which key, and whether it is refused."""

    caller: str
    key: str | None
    body: str
    refused: bool = False


CALL = st.builds(
    Call,
    caller=st.sampled_from(("ann", "bob")),
    key=st.sampled_from((None, "k", "K", "k ", "ann:k")),
    body=st.sampled_from(("one", "two", "")),
    refused=st.sampled_from((False, False, False, True)),
)


class IdempotencyMachine(Machine):
    """A key stands for one request of its caller, whose effect there is once."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[tuple[str, str], tuple[str, list[str | int]]] = {}
        self.effects = 0
        self._join()

    def _join(self) -> None:
        self.journal = Journal(self.store, Bus(self.store), crash=lambda _: None)

    def _unit(self, call: Call) -> Unit[list[str | int]]:
        def run(tx: Transaction) -> list[str | int]:
            event = tx.append("t", "k", call.body, actor=call.caller)
            if call.refused:
                raise NotFound("thing", 1)
            return [event.id, event.seq]

        return once(
            run,
            caller=Principal(name=call.caller),
            key=call.key,
            request=digest("verb", call.body),
            result=list[str | int],
            clock=self.clock,
        )

    async def _make(self, calls: list[Call]) -> list[list[str | int] | BaseException]:
        work = [self.journal.commit(self._unit(call)) for call in calls]
        return await asyncio.gather(*work, return_exceptions=True)

    @rule(calls=st.lists(CALL, min_size=1, max_size=6))
    def call(self, calls: list[Call]) -> None:
        """Calls at once are as calls one after the other."""
        answers = self.run(self._make(calls))
        for call, answer in zip(calls, answers, strict=True):
            known = None if call.key is None else self.known.get((call.caller, call.key))
            if known is None and call.refused:
                assert isinstance(answer, NotFound)
            elif known is None:
                self.effects += 1
                assert isinstance(answer, list)
                assert answer[1] == self.effects
                if call.key is not None:
                    self.known[call.caller, call.key] = (call.body, answer)
            elif known[0] != call.body:
                assert isinstance(answer, IdempotencyConflict)
            else:
                assert answer == known[1]

    @rule(call=CALL, count=st.integers(2, 12))
    def twins(self, call: Call, count: int) -> None:
        """Twins of a key have one effect between them."""
        self.call([call] * count)

    @rule(days=st.integers(0, 6))
    def restart(self, days: int) -> None:
        """A restart, and days, forget no key before its time."""
        self.store.close()
        self.clock.advance(days * 86_400_000)
        self.store = self.run(self.opened())
        self._join()

    @invariant()
    def every_effect_happened_once(self) -> None:
        """There are as many events as requests that were new."""
        assert self.store.last_seq() == self.effects


TestIdempotency = IdempotencyMachine.TestCase
TestIdempotency.settings = effort(20)
