"""The daemon under proof is the ordinary one in a world that can be told to fail."""

import sqlite3
import time
from pathlib import Path

import pytest

from hubbub.core.values import wall_clock
from hubbub.prove.subject import Conditions, World, daemon_on
from tests.clients.waiting import eventually


async def seen(world: World, wanted: Conditions) -> None:
    """Wait until the world has read its conditions."""

    async def same() -> bool:
        return world.now == wanted

    await eventually(same, what=f"{wanted}")


async def test_a_world_without_conditions_is_sound(tmp_path: Path) -> None:
    """The clock is right, and commits are let through."""
    world = World(tmp_path / "conditions")
    assert abs(world.clock() - wall_clock()) < 1000
    world.reached("before_commit")


async def test_the_clock_goes_wrong_and_right_again(tmp_path: Path) -> None:
    """While the daemon runs."""
    path = tmp_path / "conditions"
    world = World(path)
    wrong = Conditions(clock_ms=-3_600_000)
    wrong.write(path)
    await seen(world, wrong)
    assert wall_clock() - world.clock() > 3_500_000
    Conditions().write(path)
    await seen(world, Conditions())
    assert abs(world.clock() - wall_clock()) < 1000


async def test_a_full_disk_fails_commits_as_sqlite_does(tmp_path: Path) -> None:
    """And nothing else."""
    path = tmp_path / "conditions"
    Conditions(is_disk_full=True).write(path)
    world = World(path)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        world.reached("before_commit")
    world.reached("after_commit")


async def test_a_slow_disk_takes_its_time(tmp_path: Path) -> None:
    """Before each commit."""
    path = tmp_path / "conditions"
    Conditions(commit_ms=30).write(path)
    world = World(path)
    began = time.monotonic()
    world.reached("before_commit")
    assert time.monotonic() - began >= 0.03


async def test_a_daemon_goes_by_its_worlds_clock(tmp_path: Path) -> None:
    """Its events have that time."""
    path = tmp_path / "conditions"
    Conditions(clock_ms=86_400_000).write(path)
    daemon = daemon_on(tmp_path / "data", path)
    assert daemon.operations.started_at - wall_clock() > 86_000_000
