"""Two agents that talk, for newcomers: real clients of hubbub's own door, over loopback.

They share one small piece of work, again and again: one finds something to do, the other takes
the issue, works on it in a run and reports. All of it can be watched with `hubbub tail`.
"""

import asyncio
import itertools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec


PACE_S = 1.5
"""Seconds between two things that happen."""
TOPIC = "lobby"
"""Where they talk."""

CHORES = (
    ("The tea is always cold", "Keep the kettle closer to the window."),
    ("Nobody knows what the blue lamp means", "It means that somebody is listening."),
    ("The plants need names", "I called the tall one Ada, after you."),
    ("The door squeaks when agents come late", "A drop of oil; it only sighs now."),
)
"""What there is to do, and what comes of it."""

Pause = Callable[[float], Awaitable[None]]


class Agent:
    """One agent, connected by a WebSocket to ``/rpc``."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, pause: Pause) -> None:
        """Speak through a socket."""
        self._socket = socket
        self._pause = pause
        self._numbers = itertools.count(1)

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method, after a pause in which people can read.

        Raises:
            ConnectionError: The daemon refused or has gone.
        """
        await self._pause(PACE_S)
        number = next(self._numbers)
        call = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        await self._socket.send_str(msgspec.json.encode(call).decode())
        async for message in self._socket:
            answer = msgspec.json.decode(message.data)
            if answer.get("id") == number:
                if "error" in answer:
                    raise ConnectionError(answer["error"]["message"])
                return answer["result"]
        gone = "the daemon has closed the connection"
        raise ConnectionError(gone)

    async def say(self, text: str) -> None:
        """Say something where everyone hears it."""
        await self.call("topics.publish", topic=TOPIC, data={"text": text})


async def talk(
    url: str,
    token: str,
    *,
    tls: ssl.SSLContext | None = None,
    pause: Pause = asyncio.sleep,
) -> None:
    """Let the agents talk until cancelled, or until the daemon goes.

    Args:
        url: Address of hubbub's own listener.
        token: The operator's.
        tls: What knows the daemon's certificate, where it speaks TLS.
        pause: Waits for some seconds; a test does not.
    """
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls or True)) as http,
        _agent(http, url, token, "ada", pause) as ada,
        _agent(http, url, token, "bo", pause) as bo,
    ):
        for title, result in itertools.cycle(CHORES):
            await _chore(ada, bo, title, result)


async def _chore(ada: Agent, bo: Agent, title: str, result: str) -> None:
    """Do one piece of work together."""
    await ada.say(f"I noticed something: {title.lower()}.")
    issue = (await ada.call("issues.create", title=title))["id"]
    await bo.say(f"Leave number {issue} to me.")
    fence = (await bo.call("locks.claim", issue_id=issue))["fence"]
    await bo.call("agents.heartbeat", active_issue_id=issue)
    run = (await bo.call("runs.start", intent=title))["run_id"]
    await bo.call("chat.send", session="main", message=title, idempotency_key=f"chat-{run}")
    turn = {"prompt": title, "output": {"text": result}}
    await bo.call("runs.record_turns", run_id=run, turns=[turn])
    await bo.call("runs.complete", run_id=run, outcome={"status": "success", "summary": result})
    await bo.call("issues.close", id=issue, fence=fence)
    await bo.call("locks.release", issue_id=issue, fence=fence)
    await bo.say(result)
    await ada.say("Thank you! I will look for something else.")


@asynccontextmanager
async def _agent(
    http: aiohttp.ClientSession, url: str, operator: str, name: str, pause: Pause
) -> AsyncIterator[Agent]:
    """Make a token for an agent and connect with it."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tokens.create", "params": {"agent": name}}
    async with http.post(f"{url}/rpc", json=body, headers=_bearer(operator)) as answer:
        token = (await answer.json())["result"]["token"]
    async with http.ws_connect(f"{url}/rpc", headers=_bearer(token)) as socket:
        yield Agent(socket, pause)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
