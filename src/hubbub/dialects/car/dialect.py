"""The CAR door: JSON-RPC 2.0 over one WebSocket, on any path."""

from collections.abc import Mapping, Sequence

from hubbub import __version__
from hubbub.core.hub import Hub
from hubbub.core.values import Principal
from hubbub.dialects import scopes
from hubbub.dialects.base import (
    Connection,
    OutboxRules,
    Request,
    Response,
    Route,
    Socket,
    json_response,
)
from hubbub.dialects.calls import table
from hubbub.dialects.car import agents, frames, opening, relay, returning, runs, tools
from hubbub.dialects.car.session import CarSession, Room
from hubbub.dialects.car.settings import CarSettings
from hubbub.errors import HubbubError


DEFAULTS = CarSettings()


class CarDialect:
    """CAR's protocol."""

    name = "car"
    scopes = scopes.CAR
    max_body_bytes = 64 * 1024

    def __init__(
        self,
        hub: Hub,
        *,
        host_token: str,
        settings: CarSettings = DEFAULTS,
        ambient_agent: str = "",
    ) -> None:
        """Serve a hub.

        Args:
            host_token: Opens the host role.
            ambient_agent: The agent of runs that name none: the daemon's ``CAR_AGENT_ID``.
        """
        self.methods = table(
            opening.METHODS,
            runs.METHODS,
            returning.METHODS,
            tools.METHODS,
            agents.METHODS,
            relay.METHODS,
        )
        self._room = Room(
            hub=hub,
            settings=settings,
            methods=self.methods,
            host_token=host_token,
            ambient_agent=ambient_agent,
            identity={"version": __version__, "manifest_role": "observer"},
            relay=relay.Relay(hub),
        )
        self.methods = self._room.methods
        scopes.complete(self.scopes, self.methods)
        self.routes: Sequence[Route] = []
        # Any path upgrades; the empty one is that of the prefix on hubbub's own listener.
        self.sockets = [
            Socket(
                path=path,
                open=self._open,
                rules=OutboxRules(max_bytes=settings.max_message_bytes),
                max_message_bytes=settings.max_message_bytes,
            )
            for path in ("/{path:.*}", "")
        ]

    def authenticate(self, request: Request) -> Principal | Response | None:
        """Let everyone open a socket: who calls is said in ``session.auth``."""
        return None

    def refuse(self, error: HubbubError) -> Response:
        """Give an error of the opening request as JSON-RPC's error object."""
        return Response(status=error.http_status, body=frames.refusal(frames.NULL, error))

    def missing(self, request: Request, allowed: Sequence[str]) -> Response:
        """Say that there is nothing here but the WebSocket."""
        text = "this is CAR's WebSocket; connect with ws:// and call session.auth"
        return json_response({"error": {"code": frames.INVALID_REQUEST, "message": text}}, 404)

    def cors(self, origin: str) -> Mapping[str, str]:
        """Let no foreign page in."""
        return {}

    async def run(self) -> None:
        """Do nothing on the clock."""

    def _open(self, connection: Connection) -> CarSession:
        return CarSession(self._room, connection)
