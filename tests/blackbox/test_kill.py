"""Kill tests of promises 1, 2, 3, 4 and 7: SIGKILL under load, restart, look.

Each round kills the daemon while writers work on every door and watchers follow the journal,
starts it again on the same directory, retries what was not answered and counts the effects.
`HUBBUB_KILL_ROUNDS` says how many rounds (default 10).
"""

import contextlib
import os

import pytest

from tests.blackbox.siege import Siege
from tests.conftest import StartDaemon
from tests.daemon import DaemonDied


ROUNDS = int(os.environ.get("HUBBUB_KILL_ROUNDS", "10"))

SLEEPER = '[agents.sleeper]\nrunner = "command"\ncommand = ["sleep", "60"]\n'
"""An agent that never answers by itself; what it runs gives up after a minute."""

MEAN_LIFE_S = 0.25
"""How long writers work before the daemon is killed, on average, in seconds."""

MAX_CRASH_COUNT = 60
"""The crash point fires at its n-th time, n from 1 to this."""

pytestmark = [pytest.mark.kill, pytest.mark.timeout(120 + 20 * ROUNDS)]


async def test_kill_under_load_loses_nothing_and_repeats_nothing(
    start_daemon: StartDaemon,
) -> None:
    """Acknowledged writes survive, retries have one effect, resuming watchers see no seam."""
    siege = Siege(await start_daemon(SLEEPER), seed=1)
    for _ in range(ROUNDS):
        await siege.life(kill_after_s=siege.random.expovariate(1 / MEAN_LIFE_S))
        await siege.heal()
    await siege.verify_from_the_start()
    assert len(siege.ledger.answers) > ROUNDS


@pytest.mark.parametrize("point", ["before_commit", "after_commit", "before_answer"])
async def test_crash_at_a_point_loses_nothing_and_repeats_nothing(
    start_daemon: StartDaemon, point: str
) -> None:
    """The same where the daemon dies between request and answer, or commit and fan-out."""
    daemon = await start_daemon(SLEEPER)
    siege = Siege(daemon, seed=2)
    for _ in range(ROUNDS):
        daemon.kill()
        daemon.env["HUBBUB_CRASH_AT"] = f"{point}:{siege.random.randint(1, MAX_CRASH_COUNT)}"
        with contextlib.suppress(DaemonDied):  # a crash while it starts is a crash as well
            await daemon.start()
        if daemon.is_running:
            await siege.life()
        del daemon.env["HUBBUB_CRASH_AT"]
        await siege.heal()
    await siege.verify_from_the_start()
    assert len(siege.ledger.answers) > ROUNDS
