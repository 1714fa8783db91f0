"""The client for programs with an event loop."""

import asyncio
import os
import ssl
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack

import msgspec

from hubbub.client.agent_token import AsAgent
from hubbub.client.calls import Calls
from hubbub.client.generated.repeats import REPEATS
from hubbub.client.generated.spaces import Spaces
from hubbub.client.link import Dial, Link
from hubbub.client.pace import Backoff, Sleep
from hubbub.client.place import Place, finder
from hubbub.client.spaces import Chat, Locks, Runs, Topics
from hubbub.client.subscription import Board
from hubbub.client.turns import Take, TurnTaking
from hubbub.client.wire import Wire


TIMEOUT_S = 30.0
"""Seconds that a call may take, reconnects and repeats included, unless it says otherwise."""
OPEN_S = 10.0
"""Seconds that a connection may take to open."""
HEARTBEAT_S = 20.0
"""Seconds of silence after which the daemon is asked whether it lives."""


class Options(TypedDict, total=False):
    """What else a client takes, by name."""

    data_dir: Path | str | None
    """The daemon's data directory; goes before ``HUBBUB_URL``."""
    agent: str | None
    """Be this agent. Without a token, one is made for it of the operator's."""
    tls_ca: Path | str | None
    """File with the authorities of the daemon's certificate, in PEM; without it, the certificate
    that the daemon left in its data directory; with ``url`` the system's authorities.
    """
    tls: ssl.SSLContext | None
    """What the certificate is checked against instead."""
    timeout_s: float | None
    """Seconds that a call may take, 30 by default; ``None``: any time."""
    patient: bool
    """Wait for a daemon that is not there yet, rather than to fail."""
    backoff: Backoff
    """Waits between two attempts to connect."""
    on_lost: Callable[[str], None] | None
    """Told why, each time that the connection ends or an attempt fails."""
    sleep: Sleep
    """Waits for some seconds; a test does not."""
    dial: Dial
    """Connects; another one in tests."""
    environ: Mapping[str, str]
    """Variables; those of the process by default."""


class AsyncClient(Spaces):
    """Calls the daemon: ``async with AsyncClient() as client: await client.issues.create("…")``.

    It finds the daemon by its data directory, or takes ``url`` and ``token`` (variables
    ``HUBBUB_URL``, ``HUBBUB_TOKEN``, ``HUBBUB_DATA_DIR``). When the connection is lost it comes
    back by itself, calls that wait are sent again under the idempotency keys that they had, and
    whoever follows topics goes on where it was.
    """

    topics: Topics
    locks: Locks
    runs: Runs
    chat: Chat

    def __init__(
        self, url: str | None = None, token: str | None = None, **options: Unpack[Options]
    ) -> None:
        """Take note; ``open``, or ``async with``, connects.

        Args:
            url: Address of hubbub's own listener.
            token: Whose token is shown; the operator's, as the data directory has it, by default.
            options: See ``Options``.
        """
        environ = options.get("environ", os.environ)
        dial, sleep = options.get("dial", _dial), options.get("sleep", asyncio.sleep)
        self.agent = options.get("agent")
        if self.agent is not None and not (token or environ.get("HUBBUB_TOKEN")):
            dial = AsAgent(self.agent, dial, _new_id)
        find = finder(
            data_dir=options.get("data_dir"),
            url=url,
            token=token,
            tls_ca=options.get("tls_ca"),
            tls=options.get("tls"),
            environ=environ,
        )
        self._link = Link(
            find,
            dial,
            backoff=options.get("backoff", Backoff()),
            sleep=sleep,
            on_lost=options.get("on_lost"),
        )
        self._patient = options.get("patient", False)
        self._calls = Calls(
            self._link, REPEATS, timeout_s=options.get("timeout_s", TIMEOUT_S), ids=_new_id
        )
        self._instance = _new_id()
        super().__init__(self._calls)
        self.topics = Topics(self._calls, Board(self._link))
        self.locks = Locks(self._calls, self.agents, sleep)
        self.locks.agent = self.agent
        self.runs = Runs(self._calls, self.topics)
        self.chat = Chat(self._calls, self.topics, _new_id)

    @property
    def place(self) -> Place | None:
        """Where the daemon was found last."""
        return self._link.place

    async def open(self) -> Self:
        """Connect.

        Raises:
            Unreachable: No daemon is there.
            Refused: It does not know the token.
        """
        await self._link.open(patient=self._patient)
        return self

    async def close(self) -> None:
        """End the connection, and with it what still waits."""
        await self._link.close()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Any:
        """Call any method by its name; gives the result as it comes, decoded."""
        return await self._calls.invoke(method, params or {}, object, timeout_s)

    async def raw(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout_s: float | None = None,
    ) -> msgspec.Raw:
        """Call any method by its name; gives the result as the daemon wrote it, in JSON."""
        return await self._calls.invoke(method, params or {}, msgspec.Raw, timeout_s)

    async def take_turns(self, take: Take) -> None:
        """Answer those who write to this agent, until cancelled or closed.

        Each turn is a task of its own; one that is aborted is cancelled, one that raises ends
        with its error. A text that it returns is the answer, or the rest of it.

        Raises:
            Conflict: Another program takes this agent's turns.
        """
        turns = TurnTaking(self._link, self._calls, take, agent=self.agent, instance=self._instance)
        await turns.run()


async def _dial(place: Place) -> Wire:
    """Connect; whoever only imports the client does not wait for the library."""
    from hubbub.client.wire_http import dial  # noqa: PLC0415

    return await dial(place, open_s=OPEN_S, heartbeat_s=HEARTBEAT_S)


def _new_id() -> str:
    return str(uuid.uuid4())
