"""Rooms for the chat tests: a daemon whose main agent is played by the test."""

import pytest

from tests.clients.command_agent import CommandAgent
from tests.clients.model_server import ModelServer
from tests.conftest import StartDaemon
from tests.daemon import Daemon


HISTORY_MAX_BYTES = 192 * 1024
"""The byte cap of `chat.history` in the seed's test."""

HISTORY_CONFIG = f"[dialects.openclaw]\nhistory_max_bytes = {HISTORY_MAX_BYTES}\n"


@pytest.fixture
async def modelled(start_daemon: StartDaemon, model: ModelServer) -> Daemon:
    """A daemon whose agent `main` speaks through the test's model server."""
    return await start_daemon(HISTORY_CONFIG + model.agent_config(), env=model.environment)


@pytest.fixture
async def commanded(start_daemon: StartDaemon, command_agent: CommandAgent) -> Daemon:
    """A daemon whose agent `main` is a command that the test plays."""
    return await start_daemon(HISTORY_CONFIG + command_agent.agent_config())
