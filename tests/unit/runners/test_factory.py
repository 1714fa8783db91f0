"""Which runner an agent gets."""

import pytest

from hubbub.core.chat.agents import AgentSettings
from hubbub.core.chat.attached import AttachedAgents
from hubbub.runners import agents_of
from hubbub.runners.attached import AttachedRunner
from hubbub.runners.echo import EchoRunner
from hubbub.runners.openai import OpenaiRunner
from hubbub.runners.process import CommandRunner


SETTINGS = {
    "Coder": AgentSettings(runner="command", command=("x",)),
    "model": AgentSettings(runner="openai", base_url="http://x/v1", model="m"),
    "echo": AgentSettings(),
    "remote": AgentSettings(runner="attached"),
}


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        ("coder", CommandRunner),
        ("model", OpenaiRunner),
        ("echo", EchoRunner),
        ("remote", AttachedRunner),
        ("main", EchoRunner),
        ("nobody", AttachedRunner),
    ],
)
def test_agent_gets_its_runner(agent: str, kind: type) -> None:
    """As configured; main echoes by default, and others are looked for among the connected."""
    agents = agents_of(SETTINGS, attached=AttachedAgents(), environ={})
    assert isinstance(agents.runner(agent), kind)


def test_main_can_be_configured() -> None:
    """The default of main is only a default."""
    settings = {"main": AgentSettings(runner="command", command=("x",))}
    agents = agents_of(settings, attached=AttachedAgents(), environ={})
    assert isinstance(agents.runner("main"), CommandRunner)
