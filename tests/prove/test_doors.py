"""The clients of each door at work with a real daemon, through its death and return."""

import pytest

from hubbub.prove.desk import Door
from hubbub.prove.doors import DOORS, car
from hubbub.prove.doors.wire import NotNow
from hubbub.prove.history import Told
from tests.conftest import StartDaemon
from tests.prove.company import CONFIG, Company


VERBS = {
    "hubbub": {
        "publish",
        "issue.create",
        "issue.comment",
        "issue.update",
        "issue.close",
        "lock.claim",
        "lock.renew",
        "lock.release",
        "run.start",
        "run.record",
        "run.complete",
        "chat.send",
    },
    "x0x": {"publish", "direct.send"},
    "crosslink": {
        "issue.create",
        "issue.comment",
        "issue.update",
        "issue.close",
        "lock.claim",
        "lock.release",
    },
    "car": {"run.start", "run.record", "run.complete"},
    "openclaw": {"chat.send"},
}
"""What the writers of each door ask for."""


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
async def test_clients_of_a_door_survive_a_kill(door: Door, start_daemon: StartDaemon) -> None:
    """Writers ask again under the same key, readers come back, and nothing is found wrong."""
    daemon = await start_daemon(CONFIG)
    async with Company(door, daemon) as company:
        await company.read()
        company.write()
        await company.until(lambda: company.answered("ok") >= VERBS[door.name], "every verb")
        daemon.kill()
        await company.until(lambda: bool(company.answered("unknown")), "a lost answer")
        await daemon.start()
        back = company.history.now()
        await company.until(
            lambda: company.answered("ok", since=back) >= VERBS[door.name], "every verb again"
        )
        await company.until(
            lambda: all(company.told(reader, since=back) for reader in door.readers),
            "every reader told again",
        )
        assert not await company.finish()
        retried = [r for verb in VERBS[door.name] for r in company.asked(verb) if r.attempt > 1]
        assert retried
        assert all(r.key is not None for r in retried)
        for reader in door.readers:
            assert len(company.joins(reader)) >= 2


async def test_a_run_is_followed_from_the_turn_that_was_seen(start_daemon: StartDaemon) -> None:
    """CAR gives all turns to who comes back; the reader takes those after its cursor."""
    daemon = await start_daemon(CONFIG)
    async with Company(car.DOOR, daemon) as company:
        await company.read()
        runs, run_id = car.CarRuns(company.desk(car.RUNS)), f"{car.RUNS}-1"
        await runs.start(run_id)
        for prompt in ("a", "b"):
            await runs.record(run_id, prompt, prompt)
        await company.until(lambda: len(company.told("car-host")) == 2, "both turns")
        daemon.kill()
        await daemon.start()
        topic = f"runs/{run_id}"
        ended = f"{topic} run.ended"
        await company.until(lambda: ended in company.told("car-host"), "the end of the run")
        told = [record.what for record in company.records if isinstance(record, Told)]
        assert told == [f"{topic} run.turn a", f"{topic} run.turn b", ended]
        await runs.drop()


async def test_a_writer_of_car_waits_for_its_own_place(start_daemon: StartDaemon) -> None:
    """An agent that is attached elsewhere is not refused for good, but tried again."""
    daemon = await start_daemon(CONFIG)
    async with Company(car.DOOR, daemon) as company:
        await company.read()
        first, second = (car.CarRuns(company.desk(car.RUNS)) for _ in range(2))
        await first.start("one")
        with pytest.raises(NotNow, match="attached"):
            await second.start("two")
        await first.drop()
