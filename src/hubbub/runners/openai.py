"""Turns taken by a model behind an OpenAI-compatible endpoint, streamed."""

import asyncio
import importlib
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import msgspec

from hubbub.core.chat.agents import AgentSettings
from hubbub.core.chat.messages import text_of
from hubbub.core.ports import RunnerOutput, RunnerTurn
from hubbub.errors import RunnerFailed


PROVIDER = "openai"
NO_KEY = "none"
"""What is sent as the key where no variable is configured: local endpoints need none."""
EFFORTS = ("minimal", "low", "medium", "high", "xhigh")
"""Thinking levels that are sent; any other word would make an endpoint refuse the turn."""
ROLES = ("system", "user", "assistant")
"""Roles of earlier messages that the model is shown; tools' results are not."""


class OpenaiRunner:
    """Asks the endpoint that an agent's settings name."""

    def __init__(self, settings: AgentSettings, environ: Mapping[str, str]) -> None:
        """Remember whom to ask.

        Args:
            environ: Where the key is looked up, at each turn.
        """
        self._settings = settings
        self._environ = environ
        self._library: Any = None
        self._tls: ssl.SSLContext | None = None

    async def take(self, turn: RunnerTurn) -> AsyncGenerator[RunnerOutput, None]:
        """Send the conversation and yield the answer as it comes.

        Raises:
            RunnerFailed: The key is missing, the endpoint cannot be reached, or it refuses.
        """
        key = self._key()
        if self._library is None:
            # Takes about a second, once; not on the event loop.
            self._library, self._tls = await asyncio.to_thread(_load)
        openai = self._library
        web = openai.DefaultAsyncHttpxClient(verify=self._tls)
        client = openai.AsyncOpenAI(
            api_key=key,
            base_url=self._settings.base_url,
            max_retries=self._settings.max_retries,
            timeout=turn.timeout_s,
            http_client=web,
        )
        try:
            async with client, await self._ask(client, turn) as chunks:
                async for chunk in chunks:
                    yield output_of(chunk)
        except openai.APIStatusError as error:
            message = f"{error.status_code} {_text_of_error(error)}"
            raise RunnerFailed(message) from error
        except openai.APIConnectionError as error:
            message = f"cannot reach {self._settings.base_url}: {error.__cause__ or error}"
            raise RunnerFailed(message) from error
        except openai.OpenAIError as error:
            raise RunnerFailed(str(error)) from error
        except ValueError as error:
            message = f"the answer of {self._settings.base_url} cannot be read: {error}"
            raise RunnerFailed(message) from error

    def _key(self) -> str:
        name = self._settings.api_key_env
        if name is None:
            return NO_KEY
        key = self._environ.get(name)
        if not key:
            message = f"the variable {name}, which should hold the key, is not set"
            raise RunnerFailed(message)
        return key

    async def _ask(self, client: Any, turn: RunnerTurn) -> Any:
        return await client.chat.completions.create(
            model=self._settings.model,
            messages=conversation(turn, self._settings.system_prompt),
            stream=True,
            stream_options={"include_usage": True},
            extra_body={**self._settings.options, **_effort(turn)} or None,
        )


def _effort(turn: RunnerTurn) -> dict[str, str]:
    """Give the field that asks for thinking; ``off`` leaves it to the endpoint."""
    return {"reasoning_effort": turn.thinking} if turn.thinking in EFFORTS else {}


def conversation(turn: RunnerTurn, system_prompt: str | None) -> list[dict[str, Any]]:
    """Give a turn and what was said before as the messages of a request."""
    messages = [] if system_prompt is None else [{"role": "system", "content": system_prompt}]
    for raw in turn.history:
        message = msgspec.json.decode(raw)
        content = _content(text_of(message), _images(message.get("content")))
        if message.get("role") in ROLES and content:
            messages.append({"role": message["role"], "content": content})
    images = [msgspec.json.decode(raw) for raw in turn.attachments]
    messages.append({"role": "user", "content": _content(turn.message, images)})
    return messages


def _images(content: object) -> list[dict[str, Any]]:
    blocks = content if isinstance(content, list) else []
    return [block for block in blocks if isinstance(block, dict) and block.get("type") == "image"]


def _content(text: str, images: Sequence[dict[str, Any]]) -> Any:
    """Give the content of a message: a text, or parts where there are images."""
    if not images:
        return text
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    for image in images:
        url = f"data:{image.get('mimeType')};base64,{image.get('data')}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return parts


def output_of(chunk: Any) -> RunnerOutput:
    """Make a step of one chunk of the stream."""
    text = "".join(choice.delta.content or "" for choice in chunk.choices[:1] if choice.delta)
    return RunnerOutput(
        text=text,
        usage=None if chunk.usage is None else _usage(chunk.usage),
        model=chunk.model or None,
        provider=PROVIDER,
    )


def _usage(usage: Any) -> dict[str, int]:
    details = usage.prompt_tokens_details
    cached = (details.cached_tokens or 0) if details is not None else 0
    return {
        "input": (usage.prompt_tokens or 0) - cached,
        "output": usage.completion_tokens or 0,
        "cacheRead": cached,
        "totalTokens": usage.total_tokens or 0,
    }


def _text_of_error(error: Any) -> str:
    """Give what the endpoint said, without the client's dress."""
    body = error.body
    said = body.get("message") if isinstance(body, dict) else None
    return said if isinstance(said, str) and said else str(error.message)


def _load() -> tuple[Any, ssl.SSLContext]:
    return importlib.import_module("openai"), ssl.create_default_context()
