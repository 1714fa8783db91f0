"""Cuts the journal of topics that clients publish on, oldest first, by age and by bytes.

State has tables of its own and is not touched, and neither are the topics of the daemon's
services. What a subscriber still reads is never cut, and what was cut is noted in the same
transaction, so that a resume across the cut is told so.
"""

from collections.abc import Iterator, Sequence

import msgspec

from hubbub.core.bus import Bus
from hubbub.core.idempotency import KEEP_MS
from hubbub.core.journal import Journal
from hubbub.core.ports import Row, Store, Transaction
from hubbub.core.topics import RESERVED
from hubbub.core.values import Clock, Event
from hubbub.telemetry import log


PAGE = 256
"""Events looked at, and cut at most, in one step."""
CACHE = 4096
"""Topics whose rule is remembered."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How long, and how much of, some topics is kept."""

    pattern: str
    """A topic, ``prefix/*``, or ``*`` for all that no other rule has."""
    keep_ms: int
    """Milliseconds for which events are kept; 0: for ever."""
    keep_bytes: int
    """Bytes of data that are kept; 0: any number."""


class _Group:
    """The topics of one rule, and how far they are cut."""

    __slots__ = ("held_bytes", "looked", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.held_bytes = 0
        # Up to this ``seq`` nothing of the group is left.
        self.looked = 0


class _Cut(msgspec.Struct):
    """What one step takes out."""

    seqs: list[int] = []
    tops: dict[str, int] = {}
    """Highest ``seq`` that each topic loses."""
    size: int = 0
    looked: int = 0
    is_last: bool = False
    """True: after this step nothing more may go."""


class Retention:
    """Keeps the journal of client topics within its rules."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        bus: Bus,
        clock: Clock,
        rules: Sequence[Rule],
        *,
        answers_ms: int = KEEP_MS,
    ) -> None:
        """Begin; ``load`` must follow before the first ``cut``.

        Args:
            rules: The most specific rule that matches a topic holds for it.
            answers_ms: Milliseconds for which idempotency keys are known, with their answers.
        """
        self._answers_ms = answers_ms
        self._journal = journal
        self._store = store
        self._bus = bus
        self._clock = clock
        self._groups = [_Group(rule) for rule in sorted(rules, key=_specific, reverse=True)]
        self._cache: dict[str, _Group | None] = {}

    async def load(self) -> None:
        """Count what the journal holds; what is told from now on is counted as it comes."""
        upto = self._bus.told
        self._bus.listen(["*"], self._heard)
        for topic, size in await self._store.rows("retention_sizes", upto=upto):
            group = self._group(topic)
            if group is not None:
                group.held_bytes += size

    async def cut(self) -> int:
        """Take out what no rule keeps, in small steps; gives the number of events."""
        total = 0
        for group in self._groups:
            done = 0
            while (step := await self._step(group)) is not None:
                done += len(step.seqs)
                if step.is_last:
                    break
            if done:
                log.info("retention_cut", topics=group.rule.pattern, events=done)
            total += done
        await self._forget_answers()
        await self._forget_sends()
        return total

    # -- one step ------------------------------------------------------------------------

    async def _step(self, group: _Group) -> _Cut | None:
        """Cut a page; ``None``: there is nothing to look at."""
        settled = self._bus.needed()
        rows = await self._store.rows(
            "retention_page", after=group.looked, upto=settled, limit=PAGE
        )
        if not rows:
            return None
        # A resume is counted in ``needed`` and then waits for this lock: it finds either the
        # events, or the note that they are gone.
        async with self._bus.cutting:
            # Asked again: while the page was read, someone may have begun to read the past.
            cut = self._choose(group, rows, min(settled, self._bus.needed()))
            if cut.seqs:
                await self._journal.commit(lambda tx: _take(tx, cut))
        group.held_bytes -= cut.size
        group.looked = cut.looked
        return cut

    def _choose(self, group: _Group, rows: Sequence[Row], upto: int) -> _Cut:
        """Find the events of a page that must go: the oldest ones, up to the first that stays."""
        rule = group.rule
        oldest = self._clock() - rule.keep_ms if rule.keep_ms else 0
        excess = group.held_bytes - rule.keep_bytes if rule.keep_bytes else 0
        cut = _Cut(seqs=[], tops={}, looked=group.looked)
        for seq, topic, size, at in rows:
            is_ours = self._group(topic) is group
            if seq > upto or (is_ours and at >= oldest and cut.size >= excess):
                cut.is_last = True
                break
            cut.looked = seq
            if is_ours:
                cut.seqs.append(seq)
                cut.tops[topic] = seq
                cut.size += size
        return cut

    async def _forget_answers(self) -> None:
        """Forget answers under idempotency keys that are older than their promise."""
        before = self._clock() - self._answers_ms

        def forget(tx: Transaction) -> int:
            return tx.execute("idempotency_purge", before=before, limit=PAGE)

        while await self._journal.commit(forget) == PAGE:
            pass

    async def _forget_sends(self) -> None:
        """Forget which messages came under which keys; their runs stay."""
        before = self._clock() - self._answers_ms

        def forget(tx: Transaction) -> int:
            return tx.execute("chat_turn_purge", before=before, limit=PAGE)

        while await self._journal.commit(forget) == PAGE:
            pass

    # -- whose rule ----------------------------------------------------------------------

    def _heard(self, event: Event) -> None:
        group = self._group(event.topic)
        if group is not None and event.seq:
            group.held_bytes += len(bytes(event.data))

    def _group(self, topic: str) -> _Group | None:
        """Find the group of a topic; ``None``: it belongs to a service, or no rule has it."""
        try:
            return self._cache[topic]
        except KeyError:
            if len(self._cache) >= CACHE:
                self._cache.clear()
            found = None if topic.startswith(RESERVED) else next(self._matching(topic), None)
            self._cache[topic] = found
            return found

    def _matching(self, topic: str) -> Iterator[_Group]:
        for group in self._groups:
            pattern = group.rule.pattern
            if pattern in ("*", topic) or (
                pattern.endswith("/*") and topic.startswith(pattern[:-1])
            ):
                yield group


def _specific(rule: Rule) -> tuple[bool, int]:
    """Order rules: whole names before prefixes, longer prefixes before shorter ones."""
    return not rule.pattern.endswith("*"), len(rule.pattern)


def _take(tx: Transaction, cut: _Cut) -> None:
    tx.execute("retention_cut", seqs=msgspec.json.encode(cut.seqs).decode())
    for topic, seq in cut.tops.items():
        tx.execute("trim_note", topic=topic, seq=seq)
