"""What the comparisons share: the servers that stay up, the tools, and the sizes of the loads."""

import contextlib
import itertools
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from bench.load import Tools
from bench.servers import Hubbub, Server, bare_server, native_hub, scratch_folder


ServerT = TypeVar("ServerT", bound=Server)


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How large the loads are."""

    subscribers: tuple[int, ...] = (1, 50, 500, 2_000)
    payload_bytes: tuple[int, ...] = (200, 4_096)
    windows: tuple[int, ...] = (1, 16)
    deliveries: int = 400_000
    """Deliveries of one fan-out run, where `most_events` does not end it earlier."""
    most_events: int = 4_000
    requests: int = 40_000
    durable_requests: int = 20_000
    resumed_events: int = 100_000
    idle_connections: int = 5_000


QUICK = Sizes(
    subscribers=(1, 50, 500),
    deliveries=60_000,
    most_events=400,
    requests=8_000,
    durable_requests=4_000,
    resumed_events=20_000,
    idle_connections=1_000,
)
"""Small loads: two minutes instead of twenty. Enough to see a large loss, not a small one."""


class Scene:
    """Servers, started when first needed and ended together.

    The daemon, the native hub and the bare server of the throughput comparisons run at the same
    time; whichever is not being measured is idle.
    """

    def __init__(self, build: Path, sizes: Sizes) -> None:
        self.sizes = sizes
        self.tools = Tools(build)
        self._stack = contextlib.ExitStack()
        self._numbers = itertools.count(1)
        self._native: tuple[Server, str] | None = None
        self._bare: tuple[Server, str] | None = None
        self._hubbub: Hubbub | None = None
        self._issue: int | None = None
        self.folder = Path(self._stack.enter_context(scratch_folder(build)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def native(self) -> tuple[Server, str]:
        """Return the native hub and its `host:port`."""
        if self._native is None:
            self._native = native_hub(self.tools)
            self.keep(self._native[0])
        return self._native

    def bare(self) -> tuple[Server, str]:
        """Return the bare library server and its `host:port`."""
        if self._bare is None:
            self._bare = bare_server(self.tools)
            self.keep(self._bare[0])
        return self._bare

    def hubbub(self) -> Hubbub:
        """Return the daemon of the throughput comparisons, ready."""
        if self._hubbub is None:
            self._hubbub = self.keep(self.new_daemon())
            self._hubbub.wait_ready()
        return self._hubbub

    def new_daemon(self, data_dir: Path | None = None) -> Hubbub:
        """Spawn a daemon, in a new data directory unless one is named; the caller ends it."""
        return Hubbub(data_dir or self.new_data_dir())

    def new_data_dir(self) -> Path:
        """Return a path below the scratch folder that nothing has used."""
        return self.folder / f"daemon-{next(self._numbers)}"

    def issue(self) -> int:
        """Return the number of an issue of the shared daemon, made on first use."""
        if self._issue is None:
            body = {"title": "What the benchmark writes to"}
            answer = self.hubbub().call("crosslink", "POST", "/api/v1/issues", body)
            self._issue = int(answer["id"])
        return self._issue

    def keep(self, server: ServerT) -> ServerT:
        """End a server together with the scene."""
        self._stack.enter_context(server)
        return server
