"""Resume: a subscriber comes back after everything was published and gets it all.

The figure is the sender's CPU time per event. The bound reads the same SQLite file and
writes the same messages to a socket, one write per page, without frames or checks.
"""

import base64
import contextlib
import itertools
import os
import re
import socket
import struct
import sys
import time
from collections.abc import Callable

import msgspec

from bench.measure import Candidate, Comparison, ProbeFailed, Reading
from bench.scene import Scene
from bench.servers import PATIENCE_S, Hubbub, Server, cpu_seconds


UNIT = "µs CPU per event"
BOUND = "SQLite to a socket"
BUDGET = 2.0

MARK = b'"topics.event"'
CHUNK = 1 << 20
TOPIC = "resumed"


def comparisons(scene: Scene) -> list[Comparison]:
    """List the one comparison, and make its journal when it is first measured."""
    history = _History(scene)
    return [
        Comparison(
            name=f"resume/{scene.sizes.resumed_events}",
            unit=UNIT,
            bound_name=BOUND,
            bound=history.from_file,
            candidates=(Candidate(door="hubbub", probe=history.from_daemon, budget=BUDGET),),
        )
    ]


class _History:
    """A journal full of events, its daemon, and the program that reads its file."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.events = scene.sizes.resumed_events
        self.daemon: Hubbub | None = None
        self.reader: tuple[Server, str] | None = None

    def from_daemon(self) -> Reading:
        """Let the daemon send the history to one subscriber."""
        daemon = self._filled()
        epoch = daemon.rpc("system.ping", {})["position"]["epoch"]
        position = {"epoch": epoch, "seq": 0}
        params = {"topics": [TOPIC], "after": position}
        call = {"jsonrpc": "2.0", "id": 1, "method": "topics.subscribe", "params": params}
        with _connect(daemon.address("hubbub")) as peer:
            _upgrade(peer, "/rpc", daemon.token)
            frame = _text_frame(msgspec.json.encode(call))
            return self._drained(daemon.pid, peer, lambda: peer.sendall(frame))

    def from_file(self) -> Reading:
        """Let the bound send the history."""
        self._filled()
        if self.reader is None:
            file = self._filled().data_dir / "hubbub.db"
            command = [sys.executable, "-m", "bench.journal_reader", str(file)]
            server = Server(command, self.scene.folder / "journal_reader.log")
            self.scene.keep(server)
            self.reader = server, f"127.0.0.1:{server.first_line()}"
        server, address = self.reader
        before = cpu_seconds(server.pid)
        with _connect(address) as peer:
            return self._drained(server.pid, peer, lambda: None, before=before)

    def _filled(self) -> Hubbub:
        if self.daemon is None:
            self.daemon = daemon = self.scene.keep(self.scene.new_daemon())
            daemon.wait_ready()
            publish = (
                '{"jsonrpc":"2.0","id":%n%,"method":"topics.publish",'
                f'"params":{{"topic":"{TOPIC}","data":{{"n":%n%,"text":"%pad%"}}}}}}'
            )
            self.scene.tools.hubload(
                "rpc", "--url", f"ws://{daemon.address('hubbub')}/rpc", *daemon.bearer,
                "--publish-ws", publish, "--match", '"result"', "--pad", "180",
                "--requests", str(self.events), "--depth", "64", timeout_s=300,
            )  # fmt: skip
        return self.daemon

    def _drained(
        self, pid: int, peer: socket.socket, begin: Callable[[], None], before: float | None = None
    ) -> Reading:
        """Read until every event has come, then check that each came once and in order."""
        cpu = cpu_seconds(pid) if before is None else before
        started = time.monotonic()
        begin()
        received = _receive(peer, self.events)
        wall = time.monotonic() - started
        cpu = cpu_seconds(pid) - cpu
        numbers = [int(digits) for digits in re.findall(rb'"seq":(\d+)', received)]
        # The answer to the subscription may hold a position of its own, before the events.
        numbers = numbers[-self.events :]
        if any(later <= earlier for earlier, later in itertools.pairwise(numbers)):
            failure = "the history came out of order"
            raise ProbeFailed(failure)
        detail = {"events": self.events, "wall_s": wall, "cpu_s": cpu, "bytes": len(received)}
        return Reading(value=cpu * 1e6 / self.events, detail=detail)


def _connect(address: str) -> contextlib.closing[socket.socket]:
    host, _, port = address.partition(":")
    return contextlib.closing(socket.create_connection((host, int(port)), timeout=PATIENCE_S))


def _upgrade(peer: socket.socket, path: str, token: str) -> None:
    """Make the connection a WebSocket; the server sends nothing before it is asked."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{peer.getpeername()[1]}",
        "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}", f"Authorization: Bearer {token}", "", "",
    )  # fmt: skip
    peer.sendall("\r\n".join(lines).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += peer.recv(4_096)
    if b" 101 " not in answer.split(b"\r\n", 1)[0]:
        failure = f"no upgrade: {answer[:200]!r}"
        raise ProbeFailed(failure)


def _text_frame(text: bytes) -> bytes:
    """Frame a client's text message of 126 to 65,535 bytes."""
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(text))
    return struct.pack("!BBH", 0x81, 0x80 | 126, len(text)) + mask + masked


def _receive(peer: socket.socket, events: int) -> bytes:
    """Read until the mark of an event has come `events` times; return all bytes."""
    received = bytearray()
    found = searched = 0
    while found < events:
        chunk = peer.recv(CHUNK)
        if not chunk:
            failure = f"the connection ended after {found} of {events} events"
            raise ProbeFailed(failure)
        received += chunk
        # A mark may lie across two chunks: look again at the end of what was searched.
        found += received.count(MARK, max(0, searched - len(MARK) + 1))
        searched = len(received)
    return bytes(received)
