"""The OpenClaw door: chats with two agents, and the events of all of them."""

import itertools
from functools import partial
from typing import Any

from hubbub.prove.desk import Client, Desk, Refused
from hubbub.prove.doors.chatting import look_at_history, talk
from hubbub.prove.doors.wire import Frame, Line, NotNow, Socket, exchange, follow, surely


PROTOCOL = 3
CLIENT = {"id": "gateway-client", "version": "1.0.0", "platform": "any", "mode": "backend"}
CONNECT = "connect"
LATER = "UNAVAILABLE"
"""Code of an error after which the same request may succeed."""
KINDS = {"final": "chat.final", "error": "chat.error", "aborted": "chat.aborted"}
"""States of a chat event that end a turn, and the journal's word for each."""


class Failed(Refused):
    """An answer that is an error, with what it brought along."""

    def __init__(self, error: Frame, payload: Frame) -> None:
        """Remember both."""
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.payload = error["code"], payload


async def connect(desk: Desk) -> Socket:
    """Open a socket as the client at a desk: wait for the challenge, then say who calls."""
    socket = await Socket.open(desk)
    try:
        while (await socket.receive()).get("event") != "connect.challenge":
            pass
        params = {
            "minProtocol": PROTOCOL,
            "maxProtocol": PROTOCOL,
            # By the instance the daemon knows who comes back.
            "client": {**CLIENT, "instanceId": desk.name},
            "caps": [],
            "scopes": ["operator.read", "operator.write"],
            "auth": {"token": desk.token()},
        }
        hello = request(CONNECT, "connect", params)
        payload_of(await exchange(socket, hello, lambda frame: is_answer(frame, CONNECT)))
    except BaseException:
        await socket.close()
        raise
    return socket


class Gateway:
    """Calls; a broken connection is made anew by the next call."""

    def __init__(self, desk: Desk) -> None:
        """Call as the client at this desk."""
        self._line = Line(lambda: connect(desk))
        self._ids = itertools.count(1)

    async def call(self, method: str, **params: Any) -> Frame:
        """Call a method and give the answer's payload.

        Raises:
            Failed: The daemon answered with an error.
            NotNow: It answered that it cannot do this now.
        """
        number = str(next(self._ids))
        frame = request(number, method, params)
        return payload_of(await self._line.exchange(frame, lambda reply: is_answer(reply, number)))

    async def drop(self) -> None:
        """End the connection."""
        await self._line.drop()


def request(number: str, method: str, params: Frame) -> Frame:
    """Make a request."""
    return {"type": "req", "id": number, "method": method, "params": params}


def is_answer(frame: Frame, number: str) -> bool:
    """Say whether a message answers a request."""
    return bool(frame["type"] == "res" and frame["id"] == number)


def payload_of(answer: Frame) -> Frame:
    """Give the payload of an answer. Raises as ``Gateway.call``."""
    payload: Frame = answer.get("payload") or {}
    if answer["ok"]:
        return payload
    failed = Failed(answer["error"], payload)
    if failed.code == LATER and not payload:
        raise NotNow(str(failed))
    raise failed


# -- writers -------------------------------------------------------------------------------


async def chat(desk: Desk) -> None:
    """Talk to the agent that echoes."""
    await _talk(desk, "main", pauses=1)


async def chat_counted(desk: Desk) -> None:
    """Talk to the agent that counts its turns, each a process."""
    await _talk(desk, "counted", pauses=3)


async def _talk(desk: Desk, agent: str, *, pauses: int) -> None:
    gateway = Gateway(desk)

    async def send(session: str, message: str, key: str) -> str:
        try:
            answer = await gateway.call(
                "chat.send", sessionKey=session, message=message, idempotencyKey=key
            )
        except Failed as failed:
            # The turn of a message that was taken may have failed by the time of a retry.
            if failed.payload.get("runId") != key:
                raise
            answer = failed.payload
        return str(answer["runId"])

    await talk(desk, agent, send, pauses=pauses)
    await gateway.drop()


# -- readers -------------------------------------------------------------------------------


class EventReader:
    """Hears how turns end, where of what was missed at most the newest comes again."""

    def __init__(self, desk: Desk) -> None:
        """Read at this desk."""
        self._desk = desk

    async def read(self) -> None:
        """Follow over one connection."""
        desk = self._desk
        socket = await connect(desk)
        desk.joined("live", ("chat/*",), kinds=tuple(KINDS.values()), one_order=False)
        try:
            while True:
                frame = await socket.receive()
                if frame.get("event") == "chat":
                    self._take(frame["payload"])
        finally:
            desk.left()
            await socket.close()

    def _take(self, payload: Frame) -> None:
        kind = KINDS.get(payload["state"])
        if kind is not None:
            topic = f"chat/{payload['sessionKey']}"
            self._desk.told(topic, f"{topic} {kind} {payload['runId']}")


async def read_events(desk: Desk) -> None:
    """Hear how turns end."""
    await follow(desk, EventReader(desk).read)


# -- the end -------------------------------------------------------------------------------


class OpenclawDoor:
    """The clients of the OpenClaw door."""

    name = "openclaw"

    @property
    def writers(self) -> dict[str, Client]:
        """Give the writers by name."""
        return {"openclaw-chat": chat, "openclaw-counted": chat_counted}

    @property
    def readers(self) -> dict[str, Client]:
        """Give the readers by name."""
        return {"openclaw-events": read_events}

    async def look(self, desk: Desk) -> None:
        """Record the histories."""
        gateway = Gateway(desk)

        async def history(session: str, limit: int) -> list[Frame]:
            read = partial(gateway.call, "chat.history", sessionKey=session, limit=limit)
            page = await surely(desk, read)
            return list(page["messages"])

        await look_at_history(desk, history)
        await gateway.drop()


DOOR = OpenclawDoor()
