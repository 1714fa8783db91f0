"""Which handler takes a request: one listener's table of methods and paths.

A path is looked up by its longest part that a route names literally, so that of two routes
which fit the more exact one is tried first: ``/issues/ready`` before ``/issues/{id}``.
"""

import re
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web


Params = Mapping[str, str]
"""Parts of the path that the route names, URL-decoded."""

AiohttpHandler = Callable[[web.BaseRequest, Params], Awaitable[web.StreamResponse]]

ANY = "*"
"""As a method: all of them that no other route of the same path takes."""

_NAMED = re.compile(r"\{([a-z_]+)(?::([^{}]+))?\}")
_ONE_PART = "[^{}/]+"
_NOTHING: Params = {}


class Resource:
    """One path, or all paths of one form, with a handler for each method."""

    __slots__ = ("_pattern", "methods", "path")

    def __init__(self, path: str) -> None:
        """Begin without methods."""
        self.path = path
        self.methods: dict[str, AiohttpHandler] = {}
        self._pattern = _pattern(path) if "{" in path else None

    @property
    def place(self) -> str:
        """The whole segments at its beginning that have no names in them."""
        literal, brace, _ = self.path.partition("{")
        return (literal.rpartition("/")[0] if brace else literal).rstrip("/") or "/"

    def params(self, path: str) -> Params | None:
        """Give the named parts of a path; ``None``: it is not of this form."""
        if self._pattern is None:
            return _NOTHING if path == self.path else None
        match = self._pattern.fullmatch(path)
        return match and {name: _decoded(part) for name, part in match.groupdict().items()}


class Routes:
    """All routes of a listener."""

    def __init__(self) -> None:
        """Begin with none."""
        self._places: dict[str, list[Resource]] = {}

    def add(self, method: str, path: str, handler: AiohttpHandler) -> None:
        """Add a route.

        Args:
            method: An HTTP method, or ``ANY``.
            path: ``/issues/{id}``; ``{name:.*}`` takes slashes too. Empty: ``/``.

        Raises:
            ValueError: There is one already.
        """
        new = Resource(path or "/")
        resources = self._places.setdefault(new.place, [])
        resource = next((each for each in resources if each.path == new.path), new)
        if method in resource.methods:
            message = f"{method} {path} has two routes"
            raise ValueError(message)
        if resource is new:
            resources.append(new)
            resources.sort(key=lambda each: "{" in each.path)
        resource.methods[method] = handler

    def find(self, method: str, path: str) -> tuple[AiohttpHandler, Params] | None:
        """Give the handler of a request; ``None``: no route takes it.

        Args:
            path: URL-decoded but for ``%2F`` and ``%25``, so that a part may hold a slash.
        """
        place = path
        while place:
            for resource in self._places.get(place, ()):
                params = resource.params(path)
                if params is not None:
                    methods = resource.methods
                    handler = methods.get(method) or methods.get(ANY)
                    if handler is not None:
                        return handler, params
            if place == "/":
                break
            place = place.rpartition("/")[0] or "/"
        return None

    def methods(self, path: str) -> list[str]:
        """Give the methods that a path takes by name."""
        found = {
            method
            for resources in self._places.values()
            for resource in resources
            if resource.params(path) is not None
            for method in resource.methods
        }
        return sorted(found - {ANY})


def _pattern(path: str) -> re.Pattern[str]:
    """Make the expression of all paths of a form."""
    pattern, end = "", 0
    for name in _NAMED.finditer(path):
        literal = re.escape(path[end : name.start()])
        pattern += f"{literal}(?P<{name[1]}>{name[2] or _ONE_PART})"
        end = name.end()
    return re.compile(pattern + re.escape(path[end:]))


def _decoded(part: str) -> str:
    """Decode what was left encoded in a path so that its segments could be told apart."""
    return part.replace("%2F", "/").replace("%25", "%") if "%" in part else part
