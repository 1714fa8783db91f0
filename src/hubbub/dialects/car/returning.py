"""``runs.resume``: a run whose connection is gone goes on under another one."""

from hubbub.dialects.calls import answered
from hubbub.dialects.car import records
from hubbub.dialects.car.methods import Caller, Method
from hubbub.dialects.car.runs import OfRun


async def resume(caller: Caller, params: OfRun) -> object:
    """Take over an open run; it is the session's current one then."""
    run = await caller.hub.runs.resume(caller.caller, params.run_id, caller.client_id)
    caller.current_run = run.run_id
    return {
        "run_id": run.run_id,
        "agent_id": run.agent,
        "cursor": run.turn_count,
        "status": records.STATUSES[run.status],
    }


METHODS = [Method(name="runs.resume", params=OfRun, run=answered(resume))]
