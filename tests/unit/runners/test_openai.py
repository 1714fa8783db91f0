"""The model runner, against an endpoint that the test serves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import SimpleNamespace

import msgspec
import pytest
from aiohttp import web

from hubbub.core.chat.agents import AgentSettings
from hubbub.core.chat.messages import Image, assistant_message, user_message
from hubbub.core.ports import RunnerOutput, RunnerTurn
from hubbub.errors import RunnerFailed
from hubbub.runners.openai import OpenaiRunner, conversation, output_of
from tests.clients.model_server import API_KEY, MODEL_NAME, ModelServer
from tests.unit.runners.turns import collect, text_of, turn


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    """Give an endpoint."""
    async with ModelServer() as server:
        yield server


def runner(model: ModelServer, **settings: object) -> OpenaiRunner:
    """Make a runner that asks this endpoint."""
    asked = AgentSettings(
        runner="openai",
        base_url=model.base_url,
        model=MODEL_NAME,
        api_key_env="MODEL_KEY",
        **settings,  # type: ignore[arg-type]
    )
    return OpenaiRunner(asked, {"MODEL_KEY": API_KEY})


async def test_answer_is_streamed(model: ModelServer) -> None:
    """Each piece comes as it is said; the request has model, key, conversation and options."""
    outputs = runner(model, options={"temperature": 0.5}, system_prompt="be kind").take(turn())
    async with asyncio.timeout(20):
        one = asyncio.ensure_future(anext(outputs))
        played = await model.next_turn()
        played.say("Hello")
        assert (await one).text == "Hello"
        played.say(", world")
        played.finish()
        rest = [output async for output in outputs]
    assert text_of(rest) == ", world"
    assert (rest[0].model, rest[0].provider) == (MODEL_NAME, "openai")
    assert (played.body["model"], played.body["temperature"]) == (MODEL_NAME, 0.5)
    assert played.authorization == f"Bearer {API_KEY}"
    assert played.body["messages"] == [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "hello"},
    ]


@pytest.mark.parametrize(
    ("thinking", "sent"), [("high", "high"), ("off", "low"), (None, "low"), ("deeply", "low")]
)
async def test_thinking_is_asked_for(model: ModelServer, thinking: str | None, sent: str) -> None:
    """A known level goes out as `reasoning_effort`, over the agent's own; other words do not."""
    model.auto_reply = "hm"
    asked = runner(model, options={"reasoning_effort": "low"})
    await collect(asked, turn(thinking=thinking))
    await collect(runner(model), turn(thinking=thinking))
    first, second = [played.body.get("reasoning_effort") for played in model.turns]
    assert (first, second) == (sent, "high" if thinking == "high" else None)


async def test_closing_drops_the_connection(model: ModelServer) -> None:
    """An abort in the middle of an answer lets go of the model at once."""
    outputs = runner(model).take(turn())
    one = asyncio.ensure_future(anext(outputs))
    played = await model.next_turn()
    played.say("Once")
    await asyncio.wait_for(one, 20)
    await outputs.aclose()
    await played.wait_dropped()


async def test_cancelling_before_the_first_word_drops_the_connection(model: ModelServer) -> None:
    """An abort while the model thinks lets go of it too."""

    async def take() -> list[RunnerOutput]:
        async with contextlib.aclosing(runner(model).take(turn())) as outputs:
            return [output async for output in outputs]

    task = asyncio.create_task(take())
    played = await model.next_turn()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await played.wait_dropped()


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_refusal_fails_the_turn_once(model: ModelServer, status: int) -> None:
    """The error has status and the endpoint's own words; the request is not sent again."""
    model.fail_always = status
    with pytest.raises(RunnerFailed, match=f"^{status} the model is out of order$"):
        await collect(runner(model), turn())
    assert len(model.turns) == 1


async def test_request_is_sent_again_where_that_is_wanted(model: ModelServer) -> None:
    """`max_retries` counts the attempts after the first."""
    model.fail_always = 500
    with pytest.raises(RunnerFailed):
        await collect(runner(model, max_retries=1), turn())
    assert len(model.turns) == 2


async def test_endpoint_that_is_not_there_fails_the_turn(unused_tcp_port: int) -> None:
    """The error names the address."""
    url = f"http://127.0.0.1:{unused_tcp_port}/v1"
    settings = AgentSettings(runner="openai", base_url=url, model="m")
    with pytest.raises(RunnerFailed, match=f"cannot reach {url}"):
        await collect(OpenaiRunner(settings, {}), turn())


async def test_missing_key_fails_the_turn(model: ModelServer) -> None:
    """The error names the variable, and nobody is asked."""
    settings = AgentSettings(
        runner="openai", base_url=model.base_url, model="m", api_key_env="MODEL_KEY"
    )
    with pytest.raises(RunnerFailed, match="MODEL_KEY"):
        await collect(OpenaiRunner(settings, {}), turn())
    assert model.turns == []


async def test_endpoint_that_speaks_no_stream_fails_the_turn() -> None:
    """An answer that is no stream of chunks is an error for people, not a silent turn."""

    async def nonsense(_request: web.Request) -> web.Response:
        return web.Response(body=b"data: {nonsense\n\n", content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/v1/chat/completions", nonsense)
    served = web.AppRunner(app)
    await served.setup()
    await web.TCPSite(served, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{served.addresses[0][1]}/v1"
    settings = AgentSettings(runner="openai", base_url=url, model="m")
    try:
        with pytest.raises(RunnerFailed, match="cannot be read"):
            await collect(OpenaiRunner(settings, {}), turn())
    finally:
        await served.cleanup()


async def test_second_turn_asks_again(model: ModelServer) -> None:
    """What was loaded for the first turn serves the second; figures come along."""
    model.auto_reply = "yes"
    asked = runner(model)
    for _ in range(2):
        assert text_of(await collect(asked, turn())) == "yes"


def test_usage_counts_cached_tokens_apart() -> None:
    """Input, cache and output add up to the whole."""
    details = SimpleNamespace(cached_tokens=3)
    usage = SimpleNamespace(
        prompt_tokens=5, completion_tokens=2, total_tokens=7, prompt_tokens_details=details
    )
    chunk = SimpleNamespace(choices=[], usage=usage, model="")
    output = output_of(chunk)
    assert output.usage == {"input": 2, "output": 2, "cacheRead": 3, "totalTokens": 7}
    assert (output.text, output.model) == ("", None)


def test_conversation_has_words_and_images() -> None:
    """Users' images are parts; failures without words and tools' results are left out."""
    image = Image("AAAA", "image/png")
    history = [
        user_message("look", [image], at=1),
        assistant_message("nice", at=2),
        assistant_message("", at=3, stop_reason="error", error="500"),
        msgspec.Raw(b'{"role":"toolResult","content":[{"type":"text","text":"x"}]}'),
        msgspec.Raw(b'{"role":"user","content":"plain"}'),
    ]
    asked: RunnerTurn = turn(
        "", history=history, attachments=[msgspec.Raw(msgspec.json.encode(image))]
    )
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    assert conversation(asked, None) == [
        {"role": "user", "content": [{"type": "text", "text": "look"}, part]},
        {"role": "assistant", "content": "nice"},
        {"role": "user", "content": "plain"},
        {"role": "user", "content": [part]},
    ]
