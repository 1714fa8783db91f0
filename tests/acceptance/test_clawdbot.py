"""The `clawdbot` command line of 2026.1.24-3, unmodified, against the OpenClaw door."""

import asyncio
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.acceptance.clients import clean_environment
from tests.clients.waiting import PATIENCE_S, eventually
from tests.daemon import Daemon


pytestmark = pytest.mark.acceptance

SESSION = "agent:main:main"


class Said(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    errors: str


class Gateway:
    """`clawdbot gateway …` with the home folder and the token that the test gives it.

    Attributes:
        exported: The variables that point it at the daemon; by default token and port.
    """

    def __init__(self, node: Path, entry: Path, home: Path, daemon: Daemon) -> None:
        self.command = (str(node), str(entry), "gateway")
        self.home = home
        self.daemon = daemon
        self.token = daemon.token
        self.exported: dict[str, str] = {}

    async def run(self, *arguments: str) -> Said:
        """Run one command to its end; it finds the door by the port alone."""
        exported = self.exported or {
            "CLAWDBOT_GATEWAY_TOKEN": self.token,
            "CLAWDBOT_GATEWAY_PORT": str(self.daemon.address("openclaw")[1]),
        }
        process = await asyncio.create_subprocess_exec(
            *self.command,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=clean_environment(self.home, **exported),
        )
        try:
            async with asyncio.timeout(PATIENCE_S * 2):
                out, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        return Said(process.returncode, out.decode(), errors.decode())

    async def call(self, method: str, params: object = None) -> Any:
        """Call a method that must succeed and return its payload."""
        arguments = ["call", method, "--json"]
        if params is not None:
            arguments += ["--params", json.dumps(params)]
        said = await self.run(*arguments)
        assert said.code == 0, f"{method} failed: {said.errors or said.out}"
        return json.loads(said.out)

    async def texts(self) -> list[tuple[str, str]]:
        """Return role and text of the main session's history."""
        history = await self.call("chat.history", {"sessionKey": SESSION, "limit": 50})
        return [
            (message["role"], "".join(part.get("text", "") for part in message["content"]))
            for message in history["messages"]
        ]


@pytest.fixture
def gateway(node: Path, clawdbot: Path, tmp_path: Path, daemon: Daemon) -> Gateway:
    """The command line of a user who has exported token and port."""
    return Gateway(node, clawdbot, tmp_path / "clawdbot-home", daemon)


def sent(text: str, key: str) -> dict[str, str]:
    """Return the parameters of a message to the main session."""
    return {"sessionKey": SESSION, "message": text, "idempotencyKey": key}


async def test_health_answers(gateway: Gateway) -> None:
    """`gateway call health` ends with 0 and prints a health payload that says ok."""
    health = await gateway.call("health")

    assert health["ok"] is True
    assert health["defaultAgentId"] == "main"


async def test_health_command_says_ok(gateway: Gateway) -> None:
    """`gateway health`, the command for people, finds the payload it wants to show."""
    said = await gateway.run("health")

    assert said.code == 0, said.errors
    assert "OK" in said.out


async def test_history_of_a_new_gateway_is_empty(gateway: Gateway) -> None:
    """`gateway call chat.history` of a session that does not exist prints no messages."""
    history = await gateway.call("chat.history", {"sessionKey": SESSION, "limit": 10})

    assert history["sessionKey"] == SESSION
    assert history["messages"] == []
    assert history["thinkingLevel"] == "off"


async def test_history_holds_a_turn_once(gateway: Gateway, daemon: Daemon) -> None:
    """A message sent twice under one key is answered once, and both survive SIGKILL."""
    first = await gateway.call("chat.send", sent("good morning", "key-1"))
    again = await gateway.call("chat.send", sent("good morning", "key-1"))

    async def answered() -> list[tuple[str, str]] | None:
        texts = await gateway.texts()
        return texts if len(texts) > 1 else None

    texts = await eventually(answered, what="the answer in the history")
    await daemon.restart()
    kept = await gateway.texts()

    assert (first["runId"], first["status"]) == ("key-1", "started")
    assert (again["runId"], again["status"] in {"in_flight", "ok"}) == ("key-1", True)
    assert texts is not None
    assert [role for role, _ in texts] == ["user", "assistant"]
    assert texts[0][1] == "good morning"
    assert "good morning" in texts[1][1]
    assert kept == texts


async def test_printed_variables_are_all_it_needs(gateway: Gateway, daemon: Daemon) -> None:
    """With what `hubbub env openclaw` prints, and nothing else, the command finds the door."""
    gateway.exported = json.loads(await daemon.hubbub("env", "openclaw", "--json"))

    health = await gateway.call("health")

    assert health["ok"] is True


async def test_wrong_token_is_told_to_the_user(gateway: Gateway) -> None:
    """With a wrong token the command ends with 1 and says that the token does not match."""
    gateway.token = "not-the-token"

    said = await gateway.run("call", "health")

    assert said.code == 1
    assert "unauthorized: gateway token mismatch" in said.errors


async def test_unknown_method_is_told_to_the_user(gateway: Gateway) -> None:
    """An unknown method's error text reaches the user."""
    said = await gateway.run("call", "no.such.method")

    assert said.code == 1
    assert "unknown method: no.such.method" in said.errors
