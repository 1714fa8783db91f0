"""Every verb of every door says what a repeated request gets, and the page shows it."""

from collections.abc import Iterable, Mapping
from typing import Any
from unittest.mock import MagicMock

from msgspec import structs

from hubbub.dialects.base import Route
from hubbub.dialects.car.dialect import CarDialect
from hubbub.dialects.crosslink.dialect import CrosslinkDialect
from hubbub.dialects.openclaw.dialect import OpenclawDialect
from hubbub.dialects.repeats import CONNECTION, READS, STATE
from hubbub.dialects.rpc.dialect import RpcDialect
from hubbub.dialects.scopes import HUBBUB
from hubbub.dialects.x0x.dialect import X0xDialect
from hubbub.dialects.x0x.frames import COMMANDS
from scripts.write_idempotency import DOORS, PAGE, page


def writes(routes: Iterable[Route]) -> set[str]:
    """Give the routes that may change something, as method and path."""
    return {f"{route.method} {route.path}" for route in routes if route.method != "GET"}


def doors() -> Mapping[str, Any]:
    """Build every door on a hub that is not there."""
    hub: Any = MagicMock()
    return {
        "hubbub": RpcDialect(hub),
        "x0x": X0xDialect(hub, stop=lambda: None),
        "crosslink": CrosslinkDialect(hub),
        "car": CarDialect(hub, host_token="h"),
        "openclaw": OpenclawDialect(hub, timers=MagicMock()),
    }


def verbs() -> Mapping[str, set[str]]:
    """Give the verbs of each door, as its routes, methods and commands have them."""
    built = doors()
    assert writes(built["hubbub"].routes) == {"POST /rpc"}
    assert writes(built["openclaw"].routes) == writes(built["car"].routes) == set()
    return {
        "hubbub": set(built["hubbub"].methods),
        "x0x": writes(built["x0x"].routes) | {f"socket {name}" for name in COMMANDS},
        "crosslink": writes(built["crosslink"].routes) | {"socket subscribe"},
        "car": set(built["car"].methods),
        "openclaw": set(built["openclaw"].methods),
    }


def test_every_verb_has_its_row() -> None:
    """A new verb fails here until its door's table says what a repeat of it gets."""
    assert {door: set(table) for door, table in DOORS.items()} == verbs()


def test_methods_take_the_key_that_their_row_names() -> None:
    """Where the table names a field, the parameters have it, and nowhere else."""
    built = doors()
    names = {"hubbub": "idempotency_key", "car": "idempotency_key", "openclaw": "idempotency_key"}
    for door, field in names.items():
        for name, repeat in DOORS[door].items():
            params = built[door].methods[name].params
            fields = _fields(params)
            assert (field in fields) == bool(repeat.key), f"{door} {name}"


def test_what_needs_more_than_the_scope_read_takes_a_key() -> None:
    """On hubbub's own door what can do anything twice has a place for a key."""
    for name in doors()["hubbub"].methods:
        repeat = DOORS["hubbub"][name]
        if HUBBUB[name] != "read" and repeat not in (READS, STATE):
            assert repeat.key, name
        if HUBBUB[name] == "read":
            assert repeat in (READS, CONNECTION), name


def test_page_is_what_the_tables_say() -> None:
    """`python -m scripts.write_idempotency` brings the page up to date."""
    assert PAGE.read_text(encoding="utf-8") == page()


def _fields(params: Any) -> set[str]:
    return (
        {field.name for field in structs.fields(params)}
        if hasattr(params, "__struct_fields__")
        else set()
    )
