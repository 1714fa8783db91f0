"""What a daemon costs when nothing happens: memory per idle connection, and time to be ready."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.measure import Candidate, Comparison, Probe, ProbeFailed, Reading
from bench.scene import Scene
from bench.servers import bare_server, raise_descriptor_limit


BUDGET_IDLE = 1.3
BUDGET_START = 10.0
SPARE_DESCRIPTORS = 200
WARM_UP = 20
"""Connections opened and closed first, so that what is loaded once does not count."""
STARTS_PER_READING = 3

PATHS = {"hubbub": "/rpc", "x0x": "/ws", "crosslink": "/ws"}


def comparisons(scene: Scene) -> list[Comparison]:
    """List memory per idle connection and the two kinds of start."""
    connections = scene.sizes.idle_connections
    idle = Comparison(
        name=f"idle/{connections}",
        unit="KiB per connection",
        bound_name="bare server library",
        bound=lambda: _idle_bare(scene, connections),
        candidates=tuple(
            Candidate(door=door, probe=_idle_daemon(scene, door, connections), budget=BUDGET_IDLE)
            for door in PATHS
        ),
    )
    start = Comparison(
        name="start",
        unit="s until ready",
        bound_name='python -c "import asyncio"',
        bound=lambda: _timed(_import_asyncio),
        candidates=(
            Candidate(door="new data directory", probe=_first_start(scene), budget=BUDGET_START),
            Candidate(door="existing one", probe=_later_start(scene), budget=BUDGET_START),
        ),
    )
    return [idle, start]


def _idle_daemon(scene: Scene, door: str, connections: int) -> Probe:
    def probe() -> Reading:
        with scene.new_daemon() as daemon:
            daemon.wait_ready()
            url = f"ws://{daemon.address(door)}{PATHS[door]}"
            return _idle(scene, connections, "--url", url, *daemon.bearer, pid=daemon.pid)

    return probe


def _idle_bare(scene: Scene, connections: int) -> Reading:
    server, address = bare_server(scene.tools)
    with server:
        return _idle(scene, connections, "--url", f"ws://{address}/ws", pid=server.pid)


def _idle(scene: Scene, connections: int, *words: str, pid: int) -> Reading:
    allowed = raise_descriptor_limit(connections + SPARE_DESCRIPTORS)
    if allowed < connections + SPARE_DESCRIPTORS:
        failure = f"only {allowed} open files are allowed here; raise `ulimit -n`"
        raise ProbeFailed(failure)
    words = (*words, "--pid", str(pid))
    scene.tools.hubload("idle", *words, "--conns", str(WARM_UP))
    result = scene.tools.hubload("idle", *words, "--conns", str(connections), "--hold", "1")
    return Reading(value=result["kb_per_conn"], detail=result)


def _first_start(scene: Scene) -> Probe:
    return lambda: _timed(lambda: _start(scene, scene.new_data_dir()))


def _later_start(scene: Scene) -> Probe:
    used: list[Path] = []

    def probe() -> Reading:
        if not used:
            used.append(scene.new_data_dir())
            _start(scene, used[0])
        return _timed(lambda: _start(scene, used[0]))

    return probe


def _start(scene: Scene, data_dir: Path) -> float:
    """Start a daemon, end it, and return the seconds until it was ready."""
    began = time.monotonic()
    with scene.new_daemon(data_dir) as daemon:
        daemon.wait_ready()
        return time.monotonic() - began


def _import_asyncio() -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import asyncio"], check=True)
    return time.monotonic() - began


def _timed(once: Callable[[], float]) -> Reading:
    """Take the median of a few tries: a start is short, so the machine's noise is large."""
    tries = [once() for _ in range(STARTS_PER_READING)]
    return Reading(value=statistics.median(tries), detail={"tries_s": tries})
