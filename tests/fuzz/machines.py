"""What all state machines share: how much they try, an event loop, and a folder for the store."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine

from hubbub.core.values import uuid7
from hubbub.storage.sqlite import SqliteStore
from tests.clients.waiting import PATIENCE_S
from tests.unit.conftest import ManualClock


T = TypeVar("T")

IS_DEEP = os.environ.get("HUBBUB_TEST_FUZZ") == "deep"


def effort(examples: int, steps: int = 20) -> settings:
    """Say how much is tried: the same few in each run of the suite, or many at random.

    `HUBBUB_TEST_FUZZ=deep` asks for fifty times as many, new ones each time.
    """
    return settings(
        max_examples=examples * 50 if IS_DEEP else examples,
        stateful_step_count=steps * 2 if IS_DEEP else steps,
        derandomize=not IS_DEEP,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


class Machine(RuleBasedStateMachine):
    """A state machine whose rules may wait, with a store that may be opened again."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory(prefix="hubbub-fuzz-")
        self.path = Path(self._folder.name) / "hubbub.db"
        self.clock = ManualClock()
        self.at_point: Callable[[str], None] = lambda _: None
        self.store = self.run(self.opened())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do what waits, with the patience of all tests."""
        return self._runner.run(asyncio.wait_for(work, PATIENCE_S * 2))

    async def opened(self) -> SqliteStore:
        """Open the store."""
        store = SqliteStore(
            self.path,
            clock=self.clock,
            ids=uuid7,
            crash=lambda point: self.at_point(point),  # noqa: PLW0108 it changes
        )
        store.start()
        return store

    def teardown(self) -> None:
        """Close everything, also after a failure."""
        try:
            self.finish()
        finally:
            self.store.close()
            self._runner.close()
            self._folder.cleanup()

    def finish(self) -> None:
        """Check what holds at the end; overridden."""
