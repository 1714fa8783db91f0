"""Which fields of a session may be changed, and to what. Pure.

Names and values are those of the store entries that chat clients keep.
"""

from collections.abc import Mapping
from typing import Any, get_args

from hubbub.core.chat.conversation import MultitaskStrategy
from hubbub.errors import InvalidRequest


MAX_LABEL_CHARACTERS = 64
"""Length of a label at most."""
MAX_FIELD_CHARACTERS = 512
"""Length of any other text field at most."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "thinkingLevel": ("off", "minimal", "low", "medium", "high", "xhigh"),
    "verboseLevel": ("on", "full", "off"),
    "reasoningLevel": ("on", "off", "stream"),
    "responseUsage": ("off", "tokens", "full", "on"),
    "elevatedLevel": ("on", "off", "ask", "full"),
    "execHost": ("sandbox", "gateway", "node"),
    "execSecurity": ("deny", "allowlist", "full"),
    "execAsk": ("off", "on-miss", "always"),
    "sendPolicy": ("allow", "deny"),
    "groupActivation": ("mention", "always"),
    "multitaskStrategy": get_args(MultitaskStrategy),
}
"""Fields that take one of a few words."""
TEXTS = ("label", "execNode", "model", "spawnedBy")
"""Fields that take any text."""
KEPT_AT_RESET = (
    "label",
    "displayName",
    "thinkingLevel",
    "verboseLevel",
    "reasoningLevel",
    "elevatedLevel",
    "responseUsage",
    "execHost",
    "execSecurity",
    "execAsk",
    "execNode",
    "model",
    "contextTokens",
    "providerOverride",
    "modelOverride",
    "sendPolicy",
    "groupActivation",
    "queueMode",
    "multitaskStrategy",
    "chatType",
    "origin",
    "channel",
    "groupId",
    "groupChannel",
    "space",
    "subject",
    "spawnedBy",
    "deliveryContext",
    "lastChannel",
    "lastTo",
    "lastAccountId",
    "lastThreadId",
)
"""Fields that a reset leaves as they are: names, levels, model and routing."""


def patched(fields: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Give a session's fields with changes made.

    Raises:
        InvalidRequest: A field is not one that may be changed, or its value is none it takes.
    """
    result = dict(fields)
    for name, value in changes.items():
        if name in CHOICES:
            _choice(result, name, value)
        elif name == "model":
            _model(result, value)
        elif name == "spawnedBy":
            _spawned_by(result, value)
        elif name in TEXTS:
            _set(result, name, _text(name, value))
        else:
            known = ", ".join((*CHOICES, *TEXTS))
            message = f"unknown field {name!r}; a patch takes {known}"
            raise InvalidRequest(message)
    return result


def after_reset(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields of a session that begins anew."""
    kept = {name: fields[name] for name in KEPT_AT_RESET if name in fields}
    zeroes = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}
    return {**kept, **zeroes, "systemSent": False, "abortedLastRun": False}


def _choice(fields: dict[str, Any], name: str, value: object) -> None:
    word = value.strip().lower() if isinstance(value, str) else value
    if word is not None and word not in CHOICES[name]:
        message = f"invalid {name} (use {'|'.join(CHOICES[name])})"
        raise InvalidRequest(message)
    _set(fields, name, word)


def _model(fields: dict[str, Any], value: object) -> None:
    text = _text("model", value)
    provider, slash, model = (text or "").partition("/")
    _set(fields, "providerOverride", provider if slash else None)
    _set(fields, "modelOverride", model if slash else text)


def _spawned_by(fields: dict[str, Any], value: object) -> None:
    text = _text("spawnedBy", value)
    if "spawnedBy" in fields and fields["spawnedBy"] != text:
        message = "spawnedBy cannot be changed once set"
        raise InvalidRequest(message)
    _set(fields, "spawnedBy", text)


def _text(name: str, value: object) -> str | None:
    """Check a text; ``None`` clears the field."""
    if value is None:
        return None
    most = MAX_LABEL_CHARACTERS if name == "label" else MAX_FIELD_CHARACTERS
    text = value.strip() if isinstance(value, str) else ""
    if not 0 < len(text) <= most:
        message = f"invalid {name}: a text of 1 to {most} characters"
        raise InvalidRequest(message)
    return text


def _set(fields: dict[str, Any], name: str, value: object) -> None:
    if value is None:
        fields.pop(name, None)
    else:
        fields[name] = value
