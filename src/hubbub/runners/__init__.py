"""Ways to execute an agent's turn."""

from collections.abc import Mapping

from hubbub.core.chat.agents import Agents, AgentSettings
from hubbub.core.chat.attached import AttachedAgents
from hubbub.core.chat.session_keys import DEFAULT_AGENT, agent_id
from hubbub.core.ports import Runner
from hubbub.runners.attached import AttachedRunner
from hubbub.runners.echo import EchoRunner
from hubbub.runners.openai import OpenaiRunner
from hubbub.runners.process import CommandRunner


def agents_of(
    settings: Mapping[str, AgentSettings], *, attached: AttachedAgents, environ: Mapping[str, str]
) -> Agents:
    """Give each agent its runner.

    The default agent echoes where the settings do not name it; any other agent that they do
    not name is looked for among those that are connected here.

    Args:
        environ: Variables that commands are started with, and in which keys are looked up.
    """
    connected = AttachedRunner(attached)
    runners: dict[str, Runner] = {DEFAULT_AGENT: EchoRunner()}
    for name, agent in settings.items():
        runners[agent_id(name)] = _runner(agent, connected, environ)

    def runner_of(agent: str) -> Runner:
        return runners.get(agent, connected)

    return Agents(settings, runner_of)


def _runner(settings: AgentSettings, connected: Runner, environ: Mapping[str, str]) -> Runner:
    if settings.runner == "command":
        return CommandRunner(settings, environ)
    if settings.runner == "openai":
        return OpenaiRunner(settings, environ)
    return connected if settings.runner == "attached" else EchoRunner()
