"""The doors of one daemon: addresses are bound first, then every dialect is served."""

import asyncio
import socket as sockets
import ssl
import time
from collections.abc import Collection, Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from hubbub.config import LISTENERS, Settings, ambient_agent
from hubbub.core.hub import Hub
from hubbub.core.quotas import Quotas
from hubbub.data_directory import DataDirectory
from hubbub.dialects.base import Dialect
from hubbub.dialects.car import CarDialect
from hubbub.dialects.crosslink import CrosslinkDialect
from hubbub.dialects.openclaw.dialect import OpenclawDialect
from hubbub.dialects.rpc import RpcDialect
from hubbub.dialects.x0x import X0xDialect
from hubbub.errors import StartError
from hubbub.telemetry import Metrics, log
from hubbub.transport.http import Gate
from hubbub.transport.server import Listener, bind
from hubbub.transport.tick import Tick
from hubbub.transport.tls import leaf, server_context


class Doors:
    """The listeners, by name."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        """Begin with none."""
        self._settings = settings
        self._metrics = metrics
        self.quotas = Quotas(settings.limits, time.monotonic)
        """What callers have taken, on all listeners together."""
        self.listeners: dict[str, Listener] = {}
        self.dialects: dict[str, Dialect] = {}
        """What is spoken, by name; also what has no listener of its own."""
        self._bound: dict[str, sockets.socket] = {}
        self._tls: dict[str, ssl.SSLContext] = {}
        self._skipped: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def bind(self) -> None:
        """Take the addresses; nothing is written before this has worked.

        Raises:
            StartError: An address that was asked for is taken, or none could be had; a
                certificate cannot be used.
        """
        for name in LISTENERS:
            address = self._settings.listen.address(name)
            if address is None:
                continue
            files = self._settings.listen.files(name)
            if files is not None:
                self._tls[name] = server_context(Path(files.cert), Path(files.key))
            try:
                self._bound[name] = self._bind(name, *address)
            except StartError as error:
                if name in self._settings.explicit:
                    raise
                self._skipped[name] = str(error)
        if not self._bound:
            message = "no listener could be opened: " + "; ".join(self._skipped.values())
            raise StartError(message)

    def _bind(self, name: str, host: str, port: int) -> sockets.socket:
        try:
            return bind(host, port, self._settings.limits.backlog)
        except StartError:
            # A newcomer wants to see something move, whatever else runs on this machine.
            if not self._settings.demo or name in self._settings.explicit:
                raise
            return bind(host, 0, self._settings.limits.backlog)

    def warn_of_skipped(self) -> None:
        """Tell about default addresses that are taken."""
        for name, reason in self._skipped.items():
            fix = f"--listen {name}=127.0.0.1:0"
            log.warning("listener_skipped", listener=name, reason=reason, fix=fix)

    async def open(self, hub: Hub, files: DataDirectory, tick: Tick) -> dict[str, str]:
        """Serve every dialect on its address, and all under hubbub's own; gives their URLs."""
        self.dialects = dialects = self._dialects(hub, files)
        gate = self._gate()
        for name, sock in self._bound.items():
            doors = [("", dialects[name])]
            if name == "hubbub":
                others = [(f"/{other}", dialects[other]) for other in dialects if other != name]
                doors = [*others, *doors]
            self.listeners[name] = Listener(
                name,
                sock,
                doors,
                gate=gate,
                tick=tick,
                metrics=self._metrics,
                quotas=self.quotas,
                tls=self._tls.get(name),
            )
        hub.access.when_void(self._expel)
        for listener in self.listeners.values():
            await listener.open()
        for dialect in dialects.values():
            self._tasks.append(asyncio.create_task(dialect.run()))
        return {name: listener.url for name, listener in self.listeners.items()}

    async def close(self) -> None:
        """Tell every client, and close."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(listener.close() for listener in self.listeners.values()))
        for sock in self._bound.values():
            sock.close()

    def certificate(self) -> str | None:
        """Give the certificate of hubbub's own listener, by which commands know it."""
        files = self._settings.listen.files("hubbub")
        return None if files is None else leaf(Path(files.cert))

    def _expel(self, tokens: Collection[str], why: str) -> None:
        """Close what void tokens have opened, after the answer to who has revoked its own."""
        loop = asyncio.get_running_loop()
        for listener in self.listeners.values():
            loop.call_soon(listener.expel, tokens, why)

    def queued_bytes(self) -> int:
        """Count the bytes that wait for slow clients."""
        return sum(listener.queued_bytes for listener in self.listeners.values())

    def _dialects(self, hub: Hub, files: DataDirectory) -> dict[str, Dialect]:
        """Build every dialect, by the name of its listener."""
        settings = self._settings.dialects
        return {
            "hubbub": RpcDialect(hub, settings.hubbub, page_files()),
            "crosslink": CrosslinkDialect(hub, settings.crosslink),
            "car": CarDialect(
                hub,
                host_token=files.secret("host-token"),
                settings=settings.car,
                ambient_agent=ambient_agent(),
            ),
            "openclaw": OpenclawDialect(hub, settings.openclaw, self._settings.agents),
            "x0x": X0xDialect(hub, hub.operations.stop, settings.x0x),
        }

    def _gate(self) -> Gate:
        """Let in calls to the hosts that were bound or allowed, from allowed origins."""
        listen = self._settings.listen
        bound = {address[0] for name in self._bound if (address := listen.address(name))}
        return Gate(frozenset(listen.hosts) | bound, frozenset(listen.origins))


def page_files() -> dict[str, bytes]:
    """Read the page that comes with the package: its files by their path."""
    return dict(_files(resources.files(__package__).joinpath("page"), ""))


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
