"""An OpenAI-compatible endpoint that the test plays, turn by turn, chunk by chunk."""

import asyncio
import json
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.clients.waiting import PATIENCE_S


MODEL_NAME = "test-model"
API_KEY = "model-secret"


class Turn:
    """One request to the model, held open until the test says how it goes on.

    Attributes:
        body: The request as the daemon sent it.
        dropped: Set once the daemon has closed the connection before the answer was complete.
    """

    def __init__(self, body: dict[str, Any], authorization: str) -> None:
        self.body = body
        self.authorization = authorization
        self.dropped = asyncio.Event()
        self._orders: asyncio.Queue[str | int | None] = asyncio.Queue()

    @property
    def prompt(self) -> str:
        """The text of the last user message."""
        content = [m for m in self.body["messages"] if m["role"] == "user"][-1]["content"]
        if isinstance(content, str):
            return content
        return "".join(part.get("text", "") for part in content)

    def say(self, text: str) -> None:
        """Stream one chunk of the answer."""
        self._orders.put_nowait(text)

    def finish(self) -> None:
        """End the answer as a model does: finish reason, then the end mark."""
        self._orders.put_nowait(None)

    def fail(self, status: int) -> None:
        """Refuse the request with this HTTP status; only before the first chunk."""
        self._orders.put_nowait(status)

    async def wait_dropped(self) -> None:
        """Wait until the daemon has let go of this request."""
        await asyncio.wait_for(self.dropped.wait(), PATIENCE_S)

    async def next_order(self) -> str | int | None:
        """Return what to do next: a chunk, a failing status, or the end."""
        return await self._orders.get()


class ModelServer:
    """The endpoint; by default it waits for the test at every turn.

    Attributes:
        turns: Every turn that was asked for, oldest first.
        auto_reply: When set, each turn is answered at once with this text.
        fail_always: When set, each turn is refused at once with this status.
    """

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.auto_reply: str | None = None
        self.fail_always: int | None = None
        self._fresh: asyncio.Queue[Turn] = asyncio.Queue()
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for turn in self.turns:
            turn.finish()
        if self._runner is not None:
            await self._runner.cleanup()

    async def next_turn(self) -> Turn:
        """Wait for the next turn that no one has taken yet."""
        return await asyncio.wait_for(self._fresh.get(), PATIENCE_S)

    def agent_config(self, name: str = "main") -> str:
        """Return the lines of `config.toml` that let an agent speak through this model."""
        return (
            f'[agents.{name}]\nrunner = "openai"\nbase_url = "{self.base_url}"\n'
            f'model = "{MODEL_NAME}"\napi_key_env = "MODEL_KEY"\n'
        )

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the daemon needs to reach this model."""
        return {"MODEL_KEY": API_KEY}

    async def _models(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"object": "list", "data": [{"id": MODEL_NAME, "object": "model"}]}
        )

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        turn = Turn(await request.json(), request.headers.get("Authorization", ""))
        self.turns.append(turn)
        if self.fail_always is not None:
            turn.fail(self.fail_always)
        elif self.auto_reply is not None:
            turn.say(self.auto_reply)
            turn.finish()
        else:
            self._fresh.put_nowait(turn)
        try:
            return await _play(request, turn)
        except (asyncio.CancelledError, ConnectionError):
            turn.dropped.set()
            raise


async def _play(request: web.Request, turn: Turn) -> web.StreamResponse:
    """Follow the test's orders for one turn, as a streamed or a whole answer."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    whole: list[str] = []
    streamed = bool(turn.body.get("stream"))
    while True:
        order = await turn.next_order()
        if isinstance(order, int):
            failure = {"error": {"message": "the model is out of order", "type": "server_error"}}
            return web.json_response(failure, status=order)
        if order is None:
            break
        whole.append(order)
        if streamed:
            await _write(request, response, _chunk(delta={"content": order}, reason=None))
    if not streamed:
        return web.json_response(_answer("".join(whole)))
    await _write(request, response, _chunk(delta={}, reason="stop"))
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


async def _write(request: web.Request, response: web.StreamResponse, chunk: dict[str, Any]) -> None:
    if not response.prepared:
        await response.prepare(request)
    await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")


def _chunk(*, delta: dict[str, str], reason: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": MODEL_NAME,
        "choices": [choice],
    }


def _answer(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL_NAME,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
