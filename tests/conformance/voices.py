"""For each listener: how to get in, and a message that must be answered.

None of our protocols is an echo. A call of a method that does not exist is: its refusal
carries the id that the call had, and so shows that the message arrived whole.
"""

import itertools
import json
from typing import Any, Self

from tests.clients.crosslink import CrosslinkClient
from tests.clients.openclaw import connect_params
from tests.conformance.raw import PING, PONG, TEXT, Came, RawSocket, frame
from tests.daemon import Daemon


Json = dict[str, Any]


def packed(value: object) -> bytes:
    """Make compact JSON with its text as it is, so that UTF-8 travels."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Voice:
    """One connection to one listener, and what an application says on it."""

    door = ""
    path = "/"
    binary = "ignored"
    """What a binary message gets: ignored, taken as text, or an error in the door's shape."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    async def __aenter__(self) -> Self:
        self.socket = await RawSocket.open(
            self.daemon.address(self.door), self.path, self.headers()
        )
        assert self.socket.status == 101, self.socket.head
        await self.greet()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()

    def headers(self) -> dict[str, str]:
        """Give the headers of the upgrade."""
        return {}

    async def greet(self) -> None:
        """Go through the protocol's own handshake."""

    def ask(self, word: str) -> bytes:
        """Make the application message."""
        raise NotImplementedError

    def hears(self, word: str, came: Json) -> bool:
        """Tell whether a frame answers that message."""
        raise NotImplementedError

    async def provoke(self, word: str) -> None:
        """Do what makes the answer come, where the message alone does not."""

    def sized(self, length: int) -> tuple[str, bytes]:
        """Make a word whose message has this length in bytes."""
        word = "".join(itertools.islice(itertools.cycle("hubbub*"), length - len(self.ask(""))))
        return word, self.ask(word)

    async def until(self, word: str) -> None:
        """Pass over frames until one answers; for handshakes."""
        while not self.answers(word, await self.socket.receive()):
            pass

    def answers(self, word: str, came: Came) -> bool:
        """Tell whether a frame is a text that answers a word."""
        assert came.opcode != -1, f"the connection ended before {word[:50]!r} was answered"
        return came.opcode == TEXT and self.hears(word, json.loads(came.payload))


class HubbubVoice(Voice):
    """JSON-RPC, with the id as the word."""

    door, path, binary = "hubbub", "/rpc", "refused"

    def headers(self) -> dict[str, str]:
        """Bear the operator's token."""
        return {"Authorization": f"Bearer {self.daemon.token}"}

    def ask(self, word: str) -> bytes:
        """Call nothing that exists."""
        return packed({"jsonrpc": "2.0", "id": word, "method": "no.such"})

    def hears(self, word: str, came: Json) -> bool:
        """Look for the id."""
        return came.get("id") == word


class CarVoice(HubbubVoice):
    """JSON-RPC after a handshake by messages."""

    door, path, binary = "car", "/", "ignored"

    def headers(self) -> dict[str, str]:
        """Bear nothing."""
        return {}

    async def greet(self) -> None:
        """Present the token."""
        auth = {"token": self.daemon.token}
        call = {"jsonrpc": "2.0", "id": "auth", "method": "session.auth", "params": auth}
        await self.socket.send(frame(TEXT, packed(call)))
        await self.until("auth")


class OpenclawVoice(Voice):
    """Requests with an id, after challenge and connect."""

    door, binary = "openclaw", "text"

    async def greet(self) -> None:
        """Connect with the token."""
        params = connect_params(self.daemon.token)
        call = {"type": "req", "id": "hello", "method": "connect", "params": params}
        await self.socket.send(frame(TEXT, packed(call)))
        await self.until("hello")

    def ask(self, word: str) -> bytes:
        """Request nothing that exists."""
        return packed({"type": "req", "id": word, "method": "no.such"})

    def hears(self, word: str, came: Json) -> bool:
        """Look for the id."""
        return came.get("id") == word


class X0xVoice(Voice):
    """A subscription, confirmed with the topics that were asked for."""

    door, path = "x0x", "/ws"

    def headers(self) -> dict[str, str]:
        """Bear the operator's token."""
        return {"Authorization": f"Bearer {self.daemon.token}"}

    def ask(self, word: str) -> bytes:
        """Subscribe."""
        return packed({"type": "subscribe", "topics": [f"conformance {word}"]})

    def hears(self, word: str, came: Json) -> bool:
        """Look for the topics."""
        return came.get("topics") == [f"conformance {word}"]


class CrosslinkVoice(Voice):
    """A choice of channels. It is never answered, so events show whether it was heard."""

    door, path = "crosslink", "/ws"
    numbers = itertools.count(1_000_000)

    def ask(self, word: str) -> bytes:
        """Choose the heartbeats; the word fills a member that is passed over."""
        return packed({"type": "subscribe", "channels": ["issues"], "note": word})

    async def provoke(self, word: str) -> None:
        """Make an event that must not come any more, and then one that still must."""
        await self.socket.send(frame(PING, b"chosen"))
        while (came := await self.socket.receive()) != Came(PONG, b"chosen"):
            assert came.opcode == TEXT, f"the connection ended before {word[:50]!r} was heard"
        self.lock = next(self.numbers)
        async with CrosslinkClient(self.daemon) as rest:
            await rest.notify_lock(self.lock, "claimed", "somebody")
            self.issue = await rest.create(f"heard {self.lock}")

    def hears(self, word: str, came: Json) -> bool:
        """Look for the second event, and insist that the first did not come."""
        assert came.get("issue_id") != self.lock, f"{word[:50]!r} did not arrive"
        return came.get("issue_id") == self.issue


VOICES: dict[str, type[Voice]] = {
    voice.door: voice for voice in (HubbubVoice, X0xVoice, CrosslinkVoice, CarVoice, OpenclawVoice)
}
