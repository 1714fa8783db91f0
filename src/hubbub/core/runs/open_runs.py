"""Runs in memory: the open ones, whose they are, and those that ended lately.

Follows the store through the runs' own events, which come after each commit, in order.
"""

from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from hubbub.core.runs.run import Ended, Run, Started, TurnAdded, after_end, after_turn
from hubbub.core.values import Event


KEPT_ENDED = 1000
"""Ended runs that stay in memory."""


class OpenRuns:
    """What can be said of a run without asking the store."""

    def __init__(self) -> None:
        """Begin with no run."""
        self._open: dict[str, Run] = {}
        self._ended: OrderedDict[str, Run] = OrderedDict()
        self._owners: dict[str, str] = {}
        """Owner of each open run that has one."""
        self._owned: dict[str, set[str]] = {}
        """The same from the other side."""
        self._adrift: dict[str, dict[str, None]] = {}
        """Open runs whose owner's connection has ended, by agent; in the order of that."""

    def fill(self, runs: Iterable[Run]) -> None:
        """Take the open runs of the store."""
        self._open = {run.run_id: run for run in runs}

    def get(self, run_id: str) -> Run | None:
        """Give an open run, or one that ended lately."""
        return self._open.get(run_id) or self._ended.get(run_id)

    def owner(self, run_id: str) -> str | None:
        """Give the owner of an open run, if it has one."""
        return self._owners.get(run_id)

    def owned(self, owner: str) -> tuple[str, ...]:
        """Give the open runs of an owner."""
        return tuple(self._owned.get(owner, ()))

    def own(self, run_id: str, owner: str) -> bool:
        """Make somebody the owner of an open run, whoever was; false: it has ended."""
        if run_id not in self._open:
            return False
        self.disown(run_id, self._owners.get(run_id))
        self._set_ashore(run_id)
        self._owners[run_id] = owner
        self._owned.setdefault(owner, set()).add(run_id)
        return True

    def disown(self, run_id: str, owner: str | None) -> bool:
        """Take a run from its owner; false: it is not this one's."""
        if owner is None or self._owners.get(run_id) != owner:
            return False
        self._set_ashore(run_id)
        del self._owners[run_id]
        self._owned[owner].discard(run_id)
        if not self._owned[owner]:
            del self._owned[owner]
        return True

    def set_adrift(self, run: Run) -> None:
        """Note that the connection of an open run's owner has ended."""
        self._adrift.setdefault(run.agent, {})[run.run_id] = None

    def adrift(self, agent: str) -> tuple[str, ...]:
        """Give the runs of an agent whose owner's connection has ended."""
        return tuple(self._adrift.get(agent, ()))

    def _set_ashore(self, run_id: str) -> None:
        agent = self._open[run_id].agent
        runs = self._adrift.get(agent)
        if runs is not None:
            runs.pop(run_id, None)
            if not runs:
                del self._adrift[agent]

    def heard(self, event: Event) -> None:
        """Follow a committed event of a run."""
        if event.kind == "run.started":
            started = msgspec.json.decode(event.data, type=Started)
            self._open[started.run_id] = msgspec.convert(started, Run, from_attributes=True)
        elif event.kind == "run.turn":
            turn = msgspec.json.decode(event.data, type=TurnAdded)
            self._open[turn.run_id] = after_turn(self._open[turn.run_id], turn)
        else:
            ended = msgspec.json.decode(event.data, type=Ended)
            self._end(ended)

    def _end(self, ended: Ended) -> None:
        self.disown(ended.run_id, self._owners.get(ended.run_id))
        run = self._open.pop(ended.run_id, None)
        if run is None:
            return  # it ended during the start of the daemon, before memory was filled
        self._ended[run.run_id] = after_end(run, ended)
        if len(self._ended) > KEPT_ENDED:
            self._ended.popitem(last=False)
