"""Write docs/methods.md from the method table of ``/rpc``, as ``/openrpc.json`` describes it.

Run as `python -m scripts.write_methods`; a test fails while the page is out of step.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import msgspec
from msgspec import structs

from hubbub.dialects.repeats import CONNECTION, READS, STATE
from hubbub.dialects.rpc.dialect import RpcDialect
from hubbub.dialects.rpc.methods import Change, Method
from hubbub.dialects.rpc.openrpc import describe
from hubbub.dialects.rpc.repeats import REPEATS
from hubbub.dialects.scopes import HUBBUB
from scripts.write_settings import docstrings


PAGE = Path(__file__).parents[1] / "docs" / "methods.md"
WIDE = 9_000_000_000_000_000_000
"""A bound beyond it only says that a number is kept in 64 bits."""

HEAD = """# Methods

What `/rpc` of [hubbub's own door](doors/hubbub.md#calls) knows: parameters, scope, what becomes of
a repeat, and the result. A running daemon describes the same in `/openrpc.json`. Parameters are one
object; a field that does not exist is refused.

- A parameter without a default has to be given. `T?` may be null.
- A position is `{"epoch":…,"seq":…}`; wherever one can be given, a cursor (`"EPOCH:SEQ"`) will do.
- Times are Unix milliseconds. Names that end in `_ms` are milliseconds, in `_s` seconds, in
  `_bytes` bytes.
- Methods that write take an `idempotency_key` ([how a retry works](concepts/retries.md)) and a
  `cause` ([what led to it](concepts/past.md#what-led-to-this)); the tables leave both out where
  they are optional.

This page is made from the code by `python -m scripts.write_methods`.
"""


def table() -> dict[str, Method]:
    """Give every method, by name."""
    return dict(sorted(RpcDialect(MagicMock()).methods.items()))


def page() -> str:
    """Make the whole page."""
    described = describe(table().values(), "")
    types = described["components"]["schemas"]
    parts = [HEAD]
    by_space = itertools.groupby(described["methods"], lambda row: row["name"].split(".")[0])
    for space, methods in by_space:
        parts.append(f"\n## Calls of `{space}`\n")
        parts += [_method(row) for row in methods]
    parts.append("\n## Types\n\nWhat the tables above name.\n")
    parts += [_type(name, types[name]) for name in sorted(types, key=str.lower)]
    return "".join(parts)


def _method(described: dict[str, Any]) -> str:
    name = described["name"]
    method = table()[name]
    lines = [f"\n### `{name}`\n\n{method.summary}\n\n"]
    lines.append(f"Scope: {_scope(name)}. {_repeat(name)}.\n")
    rows = list(_parameters(described["params"], method))
    if rows:
        lines.append("\n| Parameter | Type | Default | |\n|---|---|---|---|\n")
        lines += rows
    else:
        lines.append("\nNo parameters.\n")
    lines.append(f"\nGives {shape(described['result']['schema'])}.\n")
    return "".join(lines)


def _scope(name: str) -> str:
    return f"`{HUBBUB[name]}`" if HUBBUB[name] else "none, and no token"


def _repeat(name: str) -> str:
    repeat = REPEATS[name]
    if repeat is READS:
        return "It only reads"
    if repeat is CONNECTION:
        return "It changes nothing but this connection"
    if repeat is STATE:
        return "A repeat is harmless: it says how things stand"
    return f"A repeat under {repeat.key}: {repeat.answer}"


def _parameters(described: list[dict[str, Any]], method: Method) -> Iterator[str]:
    fields = {field.encode_name: field for field in structs.fields(method.params)}
    meanings = docstrings(method.params)
    common = {field.encode_name for field in structs.fields(Change)}
    for row in described:
        name = row["name"]
        if name in common and not row["required"]:
            continue
        meaning = meanings.get(name, "")
        default = "" if row["required"] else _default(fields[name])
        yield f"| `{name}` | {shape(row['schema'])} | {default} | {meaning} |\n"


def _default(field: structs.FieldInfo) -> str:
    value = field.default
    if value is msgspec.NODEFAULT:
        value = field.default_factory()
    return "unset" if value is msgspec.UNSET else f"`{msgspec.json.encode(value).decode()}`"


def _type(name: str, schema: dict[str, Any]) -> str:
    """Give one type, with its fields where it is an object."""
    lines = [f"\n### {name}\n\n"]
    if text := " ".join(schema.get("description", "").replace("``", "`").split()):
        lines.append(f"{text.replace('`None`', '`null`')}\n\n")
    if "properties" not in schema:
        return "".join([*lines, f"{shape(schema)}\n"])
    required = set(schema.get("required", ()))
    lines.append("| Field | Type |\n|---|---|\n")
    for field, inner in schema["properties"].items():
        optional = "" if field in required else ", may be missing"
        lines.append(f"| `{field}` | {shape(inner)}{optional} |\n")
    return "".join(lines)


def shape(schema: dict[str, Any]) -> str:  # noqa: PLR0911 one line for each form of JSON Schema
    """Say in a few words what a schema lets through."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return _any_of(schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{msgspec.json.encode(choice).decode()}`" for choice in schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        inner = schema.get("items")
        return f"list of {shape(inner)}" if isinstance(inner, dict) else "list"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"object of {shape(inner)}" if isinstance(inner, dict) and inner else "object"
    words = {"integer": "integer", "string": "text", "number": "number", "boolean": "true or false"}
    if kind is None:
        return "any JSON"
    return f"{words.get(kind, kind)}{_bounds(schema)}"


def _any_of(choices: list[dict[str, Any]]) -> str:
    some = [choice for choice in choices if choice.get("type") != "null"]
    joined = " or ".join(shape(choice) for choice in some)
    return joined + ("?" if len(some) < len(choices) else "")


def _bounds(schema: dict[str, Any]) -> str:
    low = schema.get("minimum", schema.get("minLength"))
    high = schema.get("maximum", schema.get("maxLength"))
    if high is not None and high > WIDE:
        high = None
    if low is None and high is None:
        return ""
    if high is None:
        return f" from {low}"
    return f" up to {high}" if low is None else f" {low} to {high}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
