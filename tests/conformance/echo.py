"""The five listeners as they are, except that every socket answers each message with itself.

The Autobahn suite tests echo servers, and none of our protocols is one. Here everything up to
the dialect's session is the daemon's own: addresses, gate, upgrade, limits, framing, queues,
close handshake, each with that listener's settings.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import convert, structs

from hubbub.app import Daemon
from hubbub.config import LISTENERS, Listen, Settings
from hubbub.core.hub import Hub
from hubbub.core.values import OPERATOR, Principal
from hubbub.data_directory import DataDirectory
from hubbub.dialects.base import Connection, Dialect, Request, Response, Route, Socket
from hubbub.doors import Doors
from hubbub.errors import HubbubError, TooManyRequests
from hubbub.telemetry import Metrics
from hubbub.transport.numbering import ws_header


LARGEST_BYTES = 16 * 1024 * 1024
"""The suite's largest message; two listeners take less by default, and are tested with this."""

_TEXT_TO_BINARY = 1


class Echo:
    """A session that sends every message back, text as text and binary as binary."""

    def __init__(self, connection: Connection) -> None:
        self._outbox = connection.outbox

    def opened(self) -> None:
        """Say nothing."""

    def received(self, text: str) -> None:
        """Answer with the same text."""
        self._outbox.send(text.encode())

    def received_binary(self, data: bytes) -> None:
        """Answer with the same bytes, past the outbox: our protocols answer in text alone."""
        header = bytearray(ws_header(len(data)))
        header[0] += _TEXT_TO_BINARY
        self._outbox.write(bytes(header) + data)  # type: ignore[attr-defined]

    def refused(self, message: str | bytes, error: TooManyRequests) -> bool:
        """Refuse nothing: what comes too soon is taken later."""
        return False

    def shutting_down(self) -> None:
        """Say nothing."""

    def closed(self) -> None:
        """Keep nothing."""


class EchoDialect:
    """A dialect whose sockets echo."""

    def __init__(self, dialect: Dialect) -> None:
        """Take everything but the sessions from a dialect."""
        self._dialect = dialect
        self.name = dialect.name
        self.max_body_bytes = dialect.max_body_bytes
        self.scopes = dialect.scopes
        self.routes: Sequence[Route] = ()
        self.sockets: Sequence[Socket] = [
            structs.replace(socket, open=Echo) for socket in dialect.sockets
        ]

    def authenticate(self, request: Request) -> Principal | Response | None:
        """Let the suite in: it has no tokens."""
        return OPERATOR

    def refuse(self, error: HubbubError) -> Response:
        """Refuse as the dialect does."""
        return self._dialect.refuse(error)

    def missing(self, request: Request, allowed: Sequence[str]) -> Response:
        """Answer as the dialect does."""
        return self._dialect.missing(request, allowed)

    def cors(self, origin: str) -> Mapping[str, str]:
        """Answer as the dialect does."""
        return self._dialect.cors(origin)

    async def run(self) -> None:
        """Do nothing on the clock."""


class EchoDoors(Doors):
    """The daemon's doors with sessions that echo."""

    def _dialects(self, hub: Hub, files: DataDirectory) -> dict[str, Dialect]:
        return {
            name: EchoDialect(dialect) for name, dialect in super()._dialects(hub, files).items()
        }


class EchoDaemon(Daemon):
    """A daemon whose doors echo."""

    def __init__(self, settings: Settings) -> None:
        """Prepare."""
        super().__init__(settings)
        self._doors = EchoDoors(settings, Metrics())


def settings(data_dir: Path) -> Settings:
    """Give settings of a daemon on free ports that takes the suite's largest message."""
    listen = convert(dict.fromkeys(LISTENERS, "127.0.0.1:0"), Listen)
    dialects = {
        "crosslink": {"max_message_bytes": LARGEST_BYTES},
        "openclaw": {"max_frame_bytes": LARGEST_BYTES},
    }
    return convert(
        {"data_dir": data_dir, "listen": listen, "ephemeral": True, "dialects": dialects},
        Settings,
    )


PATHS = {"hubbub": "/rpc", "x0x": "/ws", "crosslink": "/ws", "car": "/", "openclaw": "/"}
"""The WebSocket of each listener."""
