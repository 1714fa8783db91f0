"""What needs no token on hubbub's own listener: health, figures, the description."""

from collections.abc import Awaitable, Callable, Mapping

from hubbub import __version__
from hubbub.core.operations import Operations
from hubbub.dialects.base import Request, Response, Route, json_response
from hubbub.dialects.rpc.methods import Method
from hubbub.dialects.rpc.openrpc import describe


METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Ops:
    """``/healthz``, ``/readyz``, ``/metrics`` and ``/openrpc.json``."""

    def __init__(self, operations: Operations, methods: Mapping[str, Method]) -> None:
        """Show a daemon's operations, and describe its methods."""
        self._operations = operations
        self._methods = methods

    @property
    def routes(self) -> list[Route]:
        """Open routes: they tell nothing that only a caller with a token may know."""
        handlers: dict[str, Callable[[Request], Response]] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
            "/openrpc.json": self._openrpc,
        }
        return [
            Route(method="GET", path=path, handler=_waiting(handler))
            for path, handler in handlers.items()
        ]

    def _healthz(self, _request: Request) -> Response:
        """Say that the process answers."""
        return json_response({"status": "ok", "version": __version__})

    def _readyz(self, _request: Request) -> Response:
        """Say whether writes are taken, and if not, why."""
        reasons = self._operations.reasons()
        if reasons:
            return json_response({"status": "unavailable", "reasons": reasons}, 503)
        return json_response({"status": "ready"})

    def _metrics(self, _request: Request) -> Response:
        return Response(body=self._operations.metrics.text(), content_type=METRICS_TYPE)

    def _openrpc(self, request: Request) -> Response:
        return json_response(
            describe(self._methods.values(), f"{request.scheme}://{request.host}/rpc")
        )


def _waiting(handler: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Make a handler that the transport can await of one that answers at once."""

    async def handle(request: Request) -> Response:
        return handler(request)

    return handle
