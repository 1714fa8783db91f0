"""Ways to execute an agent's turn."""

from collections.abc import Mapping

from hubbub.core.agents import AgentSettings
from hubbub.core.ports import Runner, Runners
from hubbub.core.session_keys import DEFAULT_AGENT, agent_id
from hubbub.runners.echo import EchoRunner


def runners_of(
    agents: Mapping[str, AgentSettings], *, attached: Runner, environ: Mapping[str, str]
) -> Runners:
    """Make the function that gives each agent its runner.

    The default agent echoes where the settings do not name it; any other unknown agent is
    looked for among those that are connected here.

    Args:
        attached: Hands turns to connected agents.
        environ: Where the keys of endpoints are looked up, at each turn.
    """
    runners = {
        agent_id(name): make_runner(settings, attached=attached, environ=environ)
        for name, settings in agents.items()
    }
    runners.setdefault(DEFAULT_AGENT, EchoRunner())

    def runner_of(agent: str) -> Runner:
        return runners.get(agent, attached)

    return runner_of


def make_runner(settings: AgentSettings, *, attached: Runner, environ: Mapping[str, str]) -> Runner:
    """Make the runner that an agent's settings ask for.

    Raises:
        StartError: The settings lack what this runner needs.
    """
    if settings.runner == "attached":
        return attached
    return EchoRunner()
