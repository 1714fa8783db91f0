"""Which agents there are: those of the settings, and those that were seen at any door."""

from collections.abc import Mapping
from typing import Any

from hubbub.core.chat.agents import AgentSettings
from hubbub.core.chat.session_keys import DEFAULT_AGENT, MAIN, agent_id, main_key
from hubbub.core.hub import Hub


SCOPE = "per-sender"
SESSION_DEFAULTS = {
    "defaultAgentId": DEFAULT_AGENT,
    "mainKey": MAIN,
    "mainSessionKey": main_key(),
    "scope": SCOPE,
}
"""How clients find the main session; without it the browser page and the terminal client
would use two names for it, and not see each other's events.
"""
ASSISTANT = "Assistant"
"""Name of the default agent."""


class Roster:
    """Knows the agents."""

    def __init__(self, hub: Hub, settings: Mapping[str, AgentSettings]) -> None:
        """Take the agents of the settings, by name."""
        self._hub = hub
        self._settings = {agent_id(name): agent for name, agent in settings.items()}

    def names(self) -> dict[str, str]:
        """Give all agents: id to name, the default agent first, the others by id."""
        found = {name: name for name in self._settings}
        found |= {agent_id(seen.agent): seen.agent for seen in self._hub.presence.list()}
        found.pop(DEFAULT_AGENT, None)
        return {DEFAULT_AGENT: ASSISTANT, **dict(sorted(found.items()))}

    def identity(self, agent: str) -> dict[str, str]:
        """Give what is shown of an agent."""
        name = self.names().get(agent, agent)
        return {"agentId": agent, "name": name, "avatar": name[:1].upper()}

    def models(self) -> list[dict[str, str]]:
        """Give the models of the configured agents, each once."""
        found = {
            agent.model: agent.runner
            for agent in self._settings.values()
            if agent.model is not None
        }
        return [
            {"id": model, "name": model, "provider": runner}
            for model, runner in sorted(found.items())
        ]

    def session_defaults(self) -> dict[str, Any]:
        """Give the model of the default agent, as far as the settings say."""
        main = self._settings.get(DEFAULT_AGENT, AgentSettings())
        return {"modelProvider": main.runner, "model": main.model, "contextTokens": None}
