"""What the tests of seed 002 look at through the host role's reads."""

from tests.clients.car import CarSocket
from tests.clients.frames import Frame
from tests.clients.waiting import eventually


async def ended(host: CarSocket, run_id: str) -> Frame:
    """Wait for a run's terminal record and return its termination."""
    (termination,) = await eventually(lambda: host.endings(run_id), what="the run's end")
    return termination


async def only_run(host: CarSocket, agent: str) -> Frame:
    """Return the one run that an agent has."""
    (run,) = await host.runs(agent)
    return run
