"""An OpenClaw (clawdbot) client: challenge, connect, then requests, answers and events."""

import itertools
import json
from pathlib import Path
from typing import Any, Self

from tests.clients.frames import Frame, FrameSocket, Match
from tests.daemon import Daemon


PROTOCOL = 3
TERMINAL = ("final", "aborted", "error")


def connect_params(token: str | None, **changes: object) -> Frame:
    """Return a backend client's connect parameters."""
    client = {"id": "test", "version": "1.0.0", "platform": "linux", "mode": "test"}
    params: Frame = {"minProtocol": PROTOCOL, "maxProtocol": PROTOCOL, "client": client, "caps": []}
    if token is not None:
        params["auth"] = {"token": token}
    return {**params, **changes}


class OpenclawSocket(FrameSocket):
    """One gateway connection."""

    hello: Frame

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self._ids = itertools.count(1)

    @classmethod
    async def connect(cls, daemon: Daemon, **changes: object) -> Self:
        """Connect and finish the handshake as an operator."""
        socket = await cls.open(daemon.ws_url("openclaw"))
        await socket.expect(is_event("connect.challenge"))
        answer = await socket.answer("connect", connect_params(daemon.token, **changes))
        assert answer["ok"] is True, answer
        socket.hello = answer["payload"]
        return socket

    async def post(self, method: str, params: object = None, *, request_id: str = "") -> str:
        """Send a request without waiting and return its id."""
        request_id = request_id or f"r{next(self._ids)}"
        await self.send({"type": "req", "id": request_id, "method": method, "params": params or {}})
        return request_id

    async def result(self, request_id: str) -> Frame:
        """Wait for the answer to a posted request."""
        return await self.expect(is_answer(request_id), what=f"the answer to {request_id}")

    async def answer(self, method: str, params: object = None) -> Frame:
        """Send a request and return the whole answer, good or bad."""
        return await self.result(await self.post(method, params))

    async def call(self, method: str, params: object = None) -> Any:
        """Send a request that must succeed and return its payload."""
        answer = await self.answer(method, params)
        assert answer["ok"] is True, f"{method} failed: {answer}"
        return answer.get("payload")

    async def fail(self, method: str, params: object = None) -> Frame:
        """Send a request that must fail and return its error."""
        answer = await self.answer(method, params)
        assert answer["ok"] is False, f"{method} should have failed: {answer}"
        error: Frame = answer["error"]
        return error

    async def chat_send(
        self, key: str, message: str = "hello", session: str = "main", **params: object
    ) -> Any:
        """Send a chat message under an idempotency key; must be accepted."""
        return await self.call("chat.send", send_params(key, message, session, **params))

    async def chat_event(self, run_id: str, *states: str) -> Frame:
        """Return the payload of the run's next chat event in one of the states."""
        what = f"chat event {'/'.join(states)} of {run_id}"
        frame = await self.expect(is_chat(run_id, *states), what=what)
        payload: Frame = frame["payload"]
        return payload

    async def texts(self, session: str = "main") -> list[tuple[str, str]]:
        """Return the session's history as (role, text) pairs, oldest first."""
        history = await self.call("chat.history", {"sessionKey": session, "limit": 1000})
        return [(message["role"], text_of(message)) for message in history["messages"]]


def send_params(key: str, message: str = "hello", session: str = "main", **params: object) -> Frame:
    """Return the parameters of a `chat.send`."""
    return {"sessionKey": session, "message": message, "idempotencyKey": key, **params}


def is_answer(request_id: str) -> Match:
    """Match the response to a request."""
    return lambda frame: frame.get("type") == "res" and frame.get("id") == request_id


def is_event(name: str) -> Match:
    """Match events by name."""
    return lambda frame: frame.get("type") == "event" and frame.get("event") == name


def is_chat(run_id: str, *states: str) -> Match:
    """Match chat events of a run in one of the states; without states, in any."""

    def match(frame: Frame) -> bool:
        if frame.get("type") != "event" or frame.get("event") != "chat":
            return False
        payload = frame["payload"]
        return payload["runId"] == run_id and (not states or payload["state"] in states)

    return match


def text_of(message: Frame) -> str:
    """Return the text of a message with string or block content."""
    content = message.get("content", "")
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content)


def write_store(
    folder: Path, entries: dict[str, Frame], transcripts: dict[str, list[Frame]]
) -> None:
    """Write a clawdbot session store: `sessions.json` and one JSON-lines file per session."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sessions.json").write_text(json.dumps(entries), encoding="utf-8")
    for session_id, lines in transcripts.items():
        text = "\n".join(json.dumps(line) for line in lines)
        (folder / f"{session_id}.jsonl").write_text(text, encoding="utf-8")
