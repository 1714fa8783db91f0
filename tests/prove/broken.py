"""Daemons with one promise broken each, to see that a proof finds it.

``python -m tests.prove.broken NAME DATA_DIR CONDITIONS`` takes one guarantee out of the code
and then runs the daemon under proof. Nothing of this is reachable in a daemon that ships.
"""

# ruff: noqa: SLF001 what is broken here is nobody's public name

import sys
from collections.abc import Callable
from typing import Any

from hubbub.core.bus import Bus
from hubbub.core.chat.turn_table import TurnTable
from hubbub.core.chat.turns import Turns
from hubbub.core.journal import Journal
from hubbub.core.ports import Settled, Transaction
from hubbub.core.tracker import lock_table
from hubbub.prove import subject
from hubbub.storage.sqlite import SqliteStore
from hubbub.storage.transaction import SqliteTransaction


def answer_before_commit() -> None:
    """Tell and answer what is not on the disk yet, and may never be."""
    commit, tell = SqliteStore._commit, SqliteStore._tell

    def early(store: SqliteStore, batch: list[Settled]) -> None:
        tell(store, list(batch))
        batch.clear()
        commit(store, batch)

    replace(SqliteStore, "_commit", early)


def forget_keys() -> None:
    """Remember no idempotency key."""
    row = SqliteTransaction.row

    def forgetful(transaction: SqliteTransaction, query: str, /, **values: object) -> Any:
        return None if query == "idempotency_get" else row(transaction, query, **values)

    replace(SqliteTransaction, "row", forgetful)
    execute = SqliteTransaction.execute

    def silent(transaction: SqliteTransaction, query: str, /, **values: object) -> int:
        return 0 if query == "idempotency_put" else execute(transaction, query, **values)

    replace(SqliteTransaction, "execute", silent)


def skip_at_the_seam() -> None:
    """Begin each replay one event too late."""
    _shift_replay(1)


def repeat_at_the_seam() -> None:
    """Begin each replay one event too early."""
    _shift_replay(-1)


def _shift_replay(by: int) -> None:
    follow = Bus.follow

    def shifted(bus: Bus, member: Any, after: int) -> None:
        follow(bus, member, max(0, after + by))

    replace(Bus, "follow", shifted)


def swap_events() -> None:
    """Tell each event of the journal after the one that follows it, where two come together."""
    settle = Journal._settle

    def backwards(journal: Journal, batch: list[Settled]) -> None:
        settle(journal, batch[::-1])

    replace(Journal, "_settle", backwards)


def grant_twice() -> None:
    """Grant a lock to whoever asks."""

    def nobody(_tx: Transaction, _issue_id: int, _now: int) -> None:
        return None

    replace_everywhere("current_lock", nobody, lock_table.current_lock)


def accept_any_fence() -> None:
    """Look at no fence."""

    def anything(*_: object) -> None:
        return None

    replace_everywhere("check_fence", anything, lock_table.check_fence)


def leave_turns_open() -> None:
    """Let a turn that a restart interrupted wait for ever."""

    def leave(*_: object) -> bool:
        return False

    replace(TurnTable, "interrupt_in", leave)


def take_turns_twice() -> None:
    """Give each turn to its runner twice."""
    begun = Turns._begun

    def twice(turns: Turns, turn: Any, settled: Settled) -> None:
        begun(turns, turn, settled)
        begun(turns, turn, settled)

    replace(Turns, "_begun", twice)


BREAKS: dict[str, Callable[[], None]] = {
    breaks.__name__: breaks
    for breaks in (
        answer_before_commit,
        forget_keys,
        skip_at_the_seam,
        repeat_at_the_seam,
        swap_events,
        grant_twice,
        accept_any_fence,
        leave_turns_open,
        take_turns_twice,
    )
}


def replace(owner: object, name: str, broken: object) -> None:
    """Put something broken in the place of something whole."""
    setattr(owner, name, broken)


def replace_everywhere(name: str, broken: object, whole: object) -> None:
    """Put something broken into every module that imported the whole one by name."""
    for module in tuple(sys.modules.values()):
        if getattr(module, name, None) is whole:
            replace(module, name, broken)


if __name__ == "__main__":
    BREAKS[sys.argv.pop(1)]()
    subject.main()
