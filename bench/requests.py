"""Request and answer, and durable publish: the server's CPU time per request.

The bound is the bare server library, echoing the same bytes over WebSocket or answering the same
GET or POST with fixed bytes, without looking at them.
"""

from bench.measure import Candidate, Comparison, Probe, Reading
from bench.scene import Scene
from bench.servers import Server


UNIT = "µs CPU per request"
BOUND = "bare server library"
BUDGET = 1.5
BUDGET_DURABLE = 2.0
"""For 64 durable publishes in flight."""

PING = '{"jsonrpc":"2.0","id":%n%,"method":"system.ping","params":{}}'
X0X_PING = '{"type":"ping"}'
PAYLOAD = "aHViYnVi" * 16
"""Standard base64 of 96 bytes, as x0x wants it."""


def comparisons(scene: Scene) -> list[Comparison]:
    """List requests on one connection, singly and pipelined, and on many; then durable POSTs."""
    found = []
    for connections, depth in ((1, 1), (1, 16), (100, 1)):
        shape = ("--conns", str(connections), "--depth", str(depth))
        requests = scene.sizes.requests // (4 if (connections, depth) == (1, 1) else 1)
        load = (*shape, "--requests", str(requests))
        found += _round_trips(scene, f"{connections}x{depth}", load)
    for in_flight in (1, 64):
        requests = scene.sizes.durable_requests // (4 if in_flight == 1 else 1)
        found.append(_durable(scene, in_flight, requests))
    return found


def _round_trips(scene: Scene, shape: str, load: tuple[str, ...]) -> list[Comparison]:
    """Compare the three kinds of request, each with a bound that carries the same bytes."""
    return [
        Comparison(
            name=f"request/rpc/{shape}",
            unit=UNIT,
            bound_name=BOUND,
            bound=_echo(scene, load, PING),
            candidates=(Candidate(door="hubbub", probe=_rpc(scene, load), budget=BUDGET),),
        ),
        Comparison(
            name=f"request/ping/{shape}",
            unit=UNIT,
            bound_name=BOUND,
            bound=_echo(scene, load, X0X_PING),
            candidates=(Candidate(door="x0x", probe=_x0x_ping(scene, load), budget=BUDGET),),
        ),
        Comparison(
            name=f"request/get/{shape}",
            unit=UNIT,
            bound_name=BOUND,
            bound=_bare_http(scene, load, "GET /health"),
            candidates=(Candidate(door="crosslink", probe=_health(scene, load), budget=BUDGET),),
        ),
    ]


def _durable(scene: Scene, in_flight: int, requests: int) -> Comparison:
    """Compare publishes by POST, answered after the commit."""
    load = ("--conns", str(in_flight), "--requests", str(requests))
    body = ("--body", f'{{"topic":"durable","payload":"{PAYLOAD}"}}')
    call = (
        '{"jsonrpc":"2.0","id":%n%,"method":"topics.publish",'
        f'"params":{{"topic":"durable","data":"{PAYLOAD}"}}}}'
    )
    budget = BUDGET_DURABLE if in_flight == 64 else None

    def posted(door: str, path: str, *body: str) -> Reading:
        daemon = scene.hubbub()
        url = ("--url", f"http://{daemon.address(door)}")
        post = ("--publish-http", f"POST {path}")
        return _run(scene, "http", daemon, *load, *daemon.bearer, *url, *post, *body)

    return Comparison(
        name=f"durable/{in_flight}",
        unit=UNIT,
        bound_name=BOUND,
        bound=_bare_http(scene, load, "POST /publish", *body),
        candidates=(
            Candidate(door="x0x", probe=lambda: posted("x0x", "/publish", *body), budget=budget),
            Candidate(
                door="hubbub",
                probe=lambda: posted("hubbub", "/rpc", "--body", call),
                budget=budget,
            ),
        ),
    )


def _echo(scene: Scene, load: tuple[str, ...], message: str) -> Probe:
    def probe() -> Reading:
        server, address = scene.bare()
        words = ("--url", f"ws://{address}/ws", "--publish-ws", message)
        return _run(scene, "rpc", server, *load, *words, ids_checked=message == PING)

    return probe


def _bare_http(scene: Scene, load: tuple[str, ...], request: str, *body: str) -> Probe:
    def probe() -> Reading:
        server, address = scene.bare()
        words = ("--url", f"http://{address}", "--publish-http", request)
        return _run(scene, "http", server, *load, *words, *body)

    return probe


def _rpc(scene: Scene, load: tuple[str, ...]) -> Probe:
    def probe() -> Reading:
        daemon = scene.hubbub()
        url = ("--url", f"ws://{daemon.address('hubbub')}/rpc")
        words = ("--publish-ws", PING, "--match", '"result"')
        return _run(scene, "rpc", daemon, *load, *daemon.bearer, *url, *words)

    return probe


def _x0x_ping(scene: Scene, load: tuple[str, ...]) -> Probe:
    def probe() -> Reading:
        daemon = scene.hubbub()
        url = ("--url", f"ws://{daemon.address('x0x')}/ws")
        # The greeting ends with a pong that nobody asked for.
        greeting = ("--sub-wait", '"connected"', "--sub-wait", '"pong"')
        words = ("--publish-ws", X0X_PING, "--match", '"pong"')
        return _run(
            scene, "rpc", daemon, *load, *daemon.bearer, *url, *greeting, *words, ids_checked=False
        )

    return probe


def _health(scene: Scene, load: tuple[str, ...]) -> Probe:
    def probe() -> Reading:
        daemon = scene.hubbub()
        url = ("--url", f"http://{daemon.address('crosslink')}")
        return _run(scene, "http", daemon, *load, *url, "--publish-http", "GET /api/v1/health")

    return probe


def _run(
    scene: Scene, mode: str, server: Server, *arguments: str, ids_checked: bool = True
) -> Reading:
    words = (*arguments, "--pid", str(server.pid))
    result = scene.tools.hubload(mode, *words, ids_checked=ids_checked)
    return Reading(value=result["cpu_s_per_M"], detail=result)
