"""The clients of each door at work with a real daemon, through its death and return."""

import pytest

from hubbub.prove.desk import Door
from hubbub.prove.doors import DOORS
from tests.conftest import StartDaemon
from tests.prove.company import CONFIG, Company


VERBS = {
    "hubbub": {
        "publish",
        "issue.create",
        "issue.comment",
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
    "crosslink": {"issue.create", "issue.comment", "issue.close", "lock.claim", "lock.release"},
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
        assert not await company.finish()
        retried = [r for verb in VERBS[door.name] for r in company.asked(verb) if r.attempt > 1]
        assert retried
        assert all(r.key is not None for r in retried)
        for reader in door.readers:
            assert len(company.joins(reader)) >= 2
            assert company.told(reader, since=back)
