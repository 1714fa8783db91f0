"""Connecting as an agent, with a token that is made of the operator's."""

import asyncio
from collections.abc import Callable

import msgspec

from hubbub.client.errors import Conflict, Unauthorized
from hubbub.client.link import Dial, Link
from hubbub.client.pace import Backoff
from hubbub.client.place import Place
from hubbub.client.wire import Wire


MAKE_S = 30.0
"""Seconds that the daemon has to make a token."""


class _Made(msgspec.Struct, frozen=True):
    """Result of ``tokens.create``."""

    token: str


class AsAgent:
    """Dials with a token of an agent; makes it, once, of the operator's."""

    def __init__(self, agent: str, dial: Dial, ids: Callable[[], str]) -> None:
        """Make nothing yet."""
        self._agent = agent
        self._dial = dial
        self._ids = ids
        self._token: str | None = None

    async def __call__(self, place: Place) -> Wire:
        """Connect as the agent.

        Raises:
            Refused: The daemon makes no token for it.
            Unreachable: It does not answer.
        """
        if self._token is None:
            # The same key gives the same token again, so programs that start often leave one.
            try:
                self._token = await self._made(place, f"hubbub.client:{self._agent}")
            except Conflict:
                self._token = await self._made(place, self._ids())
        try:
            return await self._dial(msgspec.structs.replace(place, token=self._token))
        except Unauthorized:  # it was revoked, or the daemon has another store
            self._token = await self._made(place, self._ids())
            return await self._dial(msgspec.structs.replace(place, token=self._token))

    async def _made(self, place: Place, key: str) -> str:
        link = Link(lambda: place, self._dial, backoff=Backoff(), sleep=asyncio.sleep)
        await link.open()
        try:
            params = {"agent": self._agent, "idempotency_key": key}
            made = await link.call("tokens.create", params, repeatable=True, timeout_s=MAKE_S)
        finally:
            await link.close()
        return msgspec.json.decode(made, type=_Made).token
