"""``/openrpc.json``: the description of ``/rpc``, made from the method table.

Source: the OpenRPC specification, 1.3.2. Parameters are one object, so each method is
described with its fields by name; schemas are JSON Schema as msgspec writes it.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import structs

from hubbub import __version__
from hubbub.dialects.rpc.methods import Method
from hubbub.dialects.scopes import HUBBUB


OPENRPC = "1.3.2"
REFERENCE = "#/components/schemas/{name}"


def describe(methods: Iterable[Method], url: str) -> dict[str, Any]:
    """Describe methods as an OpenRPC document.

    Args:
        url: Where they are called.
    """
    table = sorted(methods, key=lambda method: method.name)
    types = [method.result for method in table]
    types += [field.type for method in table for field in structs.fields(method.params)]
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    found = iter(schemas)
    results = [next(found) for _ in table]
    return {
        "openrpc": OPENRPC,
        "info": {
            "title": "hubbub",
            "version": __version__,
            "description": "JSON-RPC 2.0 over WebSocket, and over POST for one call. Send "
            "`Authorization: Bearer TOKEN`, or `?token=TOKEN` where headers cannot be set.",
        },
        "servers": [{"name": "here", "url": url}],
        "methods": [
            {
                "name": method.name,
                "summary": method.summary,
                "description": f"Needs the scope `{HUBBUB[method.name]}`.",
                "paramStructure": "by-name",
                "params": [
                    {"name": field.encode_name, "required": field.required, "schema": next(found)}
                    for field in structs.fields(method.params)
                ],
                "result": {"name": "result", "schema": result},
            }
            for method, result in zip(table, results, strict=True)
        ],
        "components": {"schemas": components},
    }
