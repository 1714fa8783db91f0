"""Answering a call with the value of a unit of work, without a task per call."""

from hubbub.core.ports import Settled, Unit
from hubbub.dialects.calls import Reply
from hubbub.dialects.rpc.methods import Caller


def submitted(caller: Caller, unit: Unit[object], reply: Reply) -> None:
    """Run a unit; its value, or what it raised, is the answer, after the commit."""

    def done(settled: Settled) -> None:
        reply(settled.value if settled.error is None else settled.error)

    caller.hub.journal.submit(unit, done)
