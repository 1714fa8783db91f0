"""Fixtures of the acceptance tests: installed clients, or a skip that says why not."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.acceptance.clients import CAR_VERSIONS, Clients, Unavailable


T = TypeVar("T")


@pytest.fixture(scope="session")
def clients() -> Clients:
    """The cache of installed clients."""
    return Clients.default()


@pytest.fixture(scope="session", params=CAR_VERSIONS, ids=lambda version: f"car-runtime-{version}")
def car_runtime(request: pytest.FixtureRequest, clients: Clients) -> Path:
    """The folder of one car-runtime wheel."""
    version: str = request.param
    return installed(f"car-runtime {version}", lambda: clients.car_runtime(version))


@pytest.fixture(scope="session")
def newest_car_runtime(clients: Clients) -> Path:
    """The folder of the newest car-runtime wheel that is tested."""
    version = CAR_VERSIONS[-1]
    return installed(f"car-runtime {version}", lambda: clients.car_runtime(version))


@pytest.fixture(scope="session")
def node(clients: Clients) -> Path:
    """The program of node 22."""
    return installed("node 22", clients.node)


@pytest.fixture(scope="session")
def clawdbot(clients: Clients) -> Path:
    """The entry script of clawdbot."""
    return installed("clawdbot", clients.clawdbot)


def installed(name: str, install: Callable[[], T]) -> T:
    """Install a client, or skip the test that wants it."""
    try:
        return install()
    except Unavailable as reason:
        pytest.skip(f"{name} is not available here: {reason}")
