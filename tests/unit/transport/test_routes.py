"""The table of methods and paths, without a server."""

import pytest
from aiohttp import web

from hubbub.transport.routes import ANY, AiohttpHandler, Params, Routes


def handler(name: str) -> AiohttpHandler:
    """Make a handler that can be told from others."""

    async def handle(_request: web.BaseRequest, _params: Params) -> web.StreamResponse:
        raise AssertionError(name)

    handle.__name__ = name
    return handle


def table(*calls: str) -> tuple[Routes, dict[AiohttpHandler, str]]:
    """Make a table of calls, in this order."""
    routes = Routes()
    names = {handler(call): call for call in calls}
    for handle, call in names.items():
        method, _, path = call.partition(" ")
        routes.add(method, path, handle)
    return routes, names


@pytest.mark.parametrize(
    ("method", "path", "expected", "params"),
    [
        ("GET", "/a/b", "GET /a/b", {}),
        ("PUT", "/a/b", "PUT /a/{x}", {"x": "b"}),
        ("PUT", "/a/b%2Fc%25", "PUT /a/{x}", {"x": "b/c%"}),
        ("PUT", "/a/b/end", "PUT /a/{x}/end", {"x": "b"}),
        ("PUT", "/a/b/other", "* /{path:.*}", {"path": "a/b/other"}),
        ("GET", "/a.b/x", "GET /a.b/{x}", {"x": "x"}),
        ("GET", "/aXb/x", "* /{path:.*}", {"path": "aXb/x"}),
        ("GET", "/", "GET ", {}),
        ("PUT", "/", "* /{path:.*}", {"path": ""}),
        ("PUT", "/deep/in/it", "* /deep/{path:.*}", {"path": "in/it"}),
    ],
)
def test_most_exact_path_that_takes_the_method_wins(
    method: str, path: str, expected: str, params: Params
) -> None:
    """Whatever the order in which routes were added; named parts are decoded."""
    routes, names = table(
        "* /{path:.*}",
        "GET ",
        "PUT /a/{x}",
        "PUT /a/{x}/end",
        "GET /a/b",
        "GET /a.b/{x}",
        "* /deep/{path:.*}",
    )
    found = routes.find(method, path)
    assert found is not None
    assert (names[found[0]], found[1]) == (expected, params)


def test_what_is_no_path_has_no_route() -> None:
    """A route for everything is one for every path."""
    routes, _ = table("* /{path:.*}")
    assert routes.find("OPTIONS", "*") is None
    assert routes.find("CONNECT", "") is None


def test_path_knows_its_methods() -> None:
    """Those of all routes that fit it, sorted; a route for any method names none."""
    routes, _ = table("PUT /a/{x}", "GET /a/b", "DELETE /a/{x}", "GET /a/{x}", "* /{path:.*}")
    assert routes.methods("/a/b") == ["DELETE", "GET", "PUT"]
    assert routes.methods("/other") == []


def test_two_routes_for_one_call_are_an_error() -> None:
    """The second would never be reached."""
    routes, _ = table("GET /a", "PUT /a")
    with pytest.raises(ValueError, match="GET /a has two routes"):
        routes.add("GET", "/a", handler("again"))
    routes.add(ANY, "/a", handler("any"))
