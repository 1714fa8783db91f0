"""Strategies for JSON: any at all, what a schema describes, and what nearly fits."""

import importlib
import pkgutil
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import structs


Json = Any

WORDS = (
    *("", " ", "main", "agent:main:main", "agent:", "ann", "operator", "t", "runs/x", "*", "a/*"),
    *("../..", "%2e%2e", "0", "-1", "1.5", "null", "\x00", "\x7f\x1b[2J", "\ufeff", "\U0001f680"),
    *(
        "stop",
        "/stop",
        "critical",
        "high",
        "open",
        "closed",
        "a" * 65,
        "a" * 257,
        "00" * 32,
        "aGk=",
    ),
)
"""Texts that mean something somewhere, or are often forgotten."""

TEXTS = st.one_of(st.sampled_from(WORDS), st.text(max_size=20))
NUMBERS = st.one_of(
    st.sampled_from((-1, 0, 1, 2, 1000, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30)),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
ANY: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def of_schema(schema: Mapping[str, Any], components: Mapping[str, Any]) -> st.SearchStrategy[Json]:
    """Make values of a schema as msgspec writes them; one in a few does not fit."""
    return st.one_of(_fitting(schema, components), _fitting(schema, components), ANY)


def _fitting(schema: Mapping[str, Any], components: Mapping[str, Any]) -> st.SearchStrategy[Json]:
    if "$ref" in schema:
        inner = components[schema["$ref"].rpartition("/")[2]]
        return st.deferred(lambda: _fitting(inner, components))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([_fitting(choice, components) for choice in schema["anyOf"]])
    if schema.get("type") == "object":
        return _object(schema, components)
    if schema.get("type") == "array":
        items = schema.get("items")
        return st.lists(of_schema(items, components) if items else ANY, max_size=3)
    scalars = {"string": TEXTS, "integer": NUMBERS, "number": NUMBERS, "boolean": st.booleans()}
    return scalars.get(str(schema.get("type")), ANY)


def _object(schema: Mapping[str, Any], components: Mapping[str, Any]) -> st.SearchStrategy[Json]:
    if "properties" in schema:
        required = set(schema.get("required", ()))
        fields = {n: of_schema(each, components) for n, each in schema["properties"].items()}
        return st.fixed_dictionaries(
            {name: value for name, value in fields.items() if name in required},
            optional={name: value for name, value in fields.items() if name not in required},
        )
    values = schema.get("additionalProperties")
    inner = of_schema(values, components) if isinstance(values, dict) else ANY
    return st.dictionaries(TEXTS, inner, max_size=3)


def field_names(package: str) -> list[str]:
    """Give the names of all fields of all structs in a package's modules."""
    root = importlib.import_module(package)
    names: set[str] = set()
    for module in pkgutil.iter_modules(root.__path__, f"{package}."):
        for found in vars(importlib.import_module(module.name)).values():
            if isinstance(found, type) and issubclass(found, msgspec.Struct):
                names |= {field.encode_name for field in structs.fields(found)}
    return sorted(names)


def bodies(names: list[str]) -> st.SearchStrategy[Json]:
    """Make objects whose members are known by name and anything by value."""
    return st.one_of(
        st.dictionaries(st.sampled_from(names), st.one_of(TEXTS, NUMBERS, ANY), max_size=6), ANY
    )


def paths(template: str) -> st.SearchStrategy[str]:
    """Fill the places of a path with numbers, ids and worse; already URL-encoded."""
    place = st.one_of(
        st.integers(0, 6).map(str),
        st.sampled_from(
            ("main", "-1", "0x1", "%00", "%2F", "1e9", str(2**63), str(2**64), "a" * 64)
        ),
    )
    parts = re.split(r"\{[^}]*\}", template)
    filled = st.tuples(*[place] * (len(parts) - 1))
    return filled.map(lambda values: "".join(map("".join, zip(parts, (*values, ""), strict=True))))
