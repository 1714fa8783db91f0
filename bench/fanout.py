"""Fan-out: one publisher, N subscribers, every event to everyone, in order.

The figure is the server's CPU time per delivery, which is CPU seconds per million. The bound is a
native hub that writes one frame per event and client. Like its publisher, those that are judged
publish over a WebSocket; publishing by POST is shown beside them, for what one HTTP request costs
more is judged where requests are measured.
"""

from bench.measure import Candidate, Comparison, Probe, Reading
from bench.scene import Scene


UNIT = "µs CPU per delivery"
BOUND = "native hub, one write per frame"

BUDGET_SINGLY = 1.4
"""500 subscribers, 200 bytes, one event in flight."""
BUDGET_JOINED = 0.3
"""The same with 16 in flight, published over WebSocket, where frames are joined in one write."""


def comparisons(scene: Scene) -> list[Comparison]:
    """List every combination of size and window, and the doors that can carry it."""
    sizes = scene.sizes
    found = [
        _published(scene, subscribers, payload, window)
        for subscribers in sizes.subscribers
        for payload in sizes.payload_bytes
        for window in sizes.windows
    ]
    found += [
        _issues(scene, subscribers, window)
        for subscribers in sizes.subscribers
        for window in sizes.windows
    ]
    return found


def _published(scene: Scene, subscribers: int, payload: int, window: int) -> Comparison:
    """Compare events that clients publish with a payload of `payload` characters."""
    load = _load(scene, subscribers, window, payload)
    judged = subscribers == 500 and payload == 200
    singly = BUDGET_SINGLY if judged and window == 1 else None
    budget = BUDGET_JOINED if judged and window == 16 else singly
    return Comparison(
        name=f"fanout/{subscribers}/{payload}B/w{window}",
        unit=UNIT,
        bound_name=BOUND,
        bound=lambda: _native(scene, load),
        candidates=(
            Candidate(door="hubbub", probe=lambda: _hubbub(scene, load), budget=budget),
            Candidate(door="x0x", probe=lambda: _x0x(scene, load, X0X_SOCKET), budget=budget),
            Candidate(door="x0x by POST", probe=_posted(scene, load)),
        ),
    )


def _issues(scene: Scene, subscribers: int, window: int) -> Comparison:
    """Compare the events of issue writes, whose size the door fixes (about 60 bytes)."""
    load = _load(scene, subscribers, window, 10)
    judged = subscribers == 500
    singly = BUDGET_SINGLY if judged and window == 1 else None
    budget = BUDGET_JOINED if judged and window == 16 else singly
    return Comparison(
        name=f"fanout/{subscribers}/issue/w{window}",
        unit=UNIT,
        bound_name=BOUND,
        bound=lambda: _native(scene, load),
        candidates=(
            Candidate(
                door="crosslink by /rpc", probe=lambda: _rpc_comments(scene, load), budget=budget
            ),
            Candidate(door="crosslink by POST", probe=_commented(scene, load)),
        ),
    )


def _load(scene: Scene, subscribers: int, window: int, payload: int) -> tuple[str, ...]:
    """Return the load generator's words for the sizes."""
    sizes = scene.sizes
    events = min(sizes.most_events, max(50, sizes.deliveries // subscribers))
    if payload > 1_000:
        events = max(50, events // 4)
    words = {"subs": subscribers, "window": window, "pad": payload, "events": events}
    return tuple(word for name, value in words.items() for word in (f"--{name}", str(value)))


def _native(scene: Scene, load: tuple[str, ...]) -> Reading:
    server, address = scene.native()
    return _run(
        scene, server.pid, load,
        "--url", f"ws://{address}/ws",
        "--sub-send", '{"jsonrpc":"2.0","id":0,"method":"subscribe"}',
        "--sub-wait", '"result":true',
        "--match", '"type":"event"', "--seq-key", '"seq":',
        "--publish-ws",
        '{"jsonrpc":"2.0","id":%n%,"method":"publish","params":{"n":%n%,"text":"%pad%"}}',
    )  # fmt: skip


def _hubbub(scene: Scene, load: tuple[str, ...]) -> Reading:
    daemon = scene.hubbub()
    return _run(
        scene, daemon.pid, load, *daemon.bearer,
        "--url", f"ws://{daemon.address('hubbub')}/rpc",
        "--sub-send",
        '{"jsonrpc":"2.0","id":1,"method":"topics.subscribe","params":{"topics":["bench"]}}',
        "--sub-wait", '"subscription"',
        "--match", '"topics.event"', "--seq-key", '"seq":',
        "--publish-ws",
        '{"jsonrpc":"2.0","id":%n%,"method":"topics.publish",'
        '"params":{"topic":"bench","data":{"n":%n%,"text":"%pad%"}}}',
    )  # fmt: skip


X0X_SOCKET = (
    "--pub-wait", '"connected"',
    "--publish-ws", '{"type":"publish","topic":"bench","payload":"%pad%"}',
)  # fmt: skip


def _x0x(scene: Scene, load: tuple[str, ...], publish: tuple[str, ...]) -> Reading:
    daemon = scene.hubbub()
    return _run(
        scene, daemon.pid, load, *daemon.bearer,
        "--url", f"ws://{daemon.address('x0x')}/ws",
        "--sub-wait", '"connected"',
        "--sub-send", '{"type":"subscribe","topics":["bench"]}',
        "--sub-wait", '"subscribed"',
        "--match", '"type":"message"',
        *publish,
    )  # fmt: skip


def _posted(scene: Scene, load: tuple[str, ...]) -> Probe:
    body = '{"topic":"bench","payload":"%pad%"}'
    return lambda: _x0x(scene, load, ("--publish-http", "POST /publish", "--body", body))


# Who says nothing hears all channels. A client that spoke last would also be slower to
# acknowledge on loopback, which the kernel charges to the sender: up to 0.3 µs per delivery.
CROSSLINK_LISTENER = (
    "--match", '"type":"issue_updated"', "--seq-key", '"seq":',
)  # fmt: skip


def _commented(scene: Scene, load: tuple[str, ...]) -> Probe:
    def probe() -> Reading:
        daemon = scene.hubbub()
        address = daemon.address("crosslink")
        return _run(
            scene, daemon.pid, load, *daemon.bearer, *CROSSLINK_LISTENER,
            "--url", f"ws://{address}/ws",
            "--publish-http", f"POST /api/v1/issues/{scene.issue()}/comments",
            "--body", '{"content":"%pad% %n%"}',
        )  # fmt: skip

    return probe


def _rpc_comments(scene: Scene, load: tuple[str, ...]) -> Reading:
    """Write through `/rpc` and listen in crosslink's dialect, on hubbub's own listener."""
    daemon = scene.hubbub()
    daemon.address("crosslink")
    return _run(
        scene, daemon.pid, load, *daemon.bearer, *CROSSLINK_LISTENER,
        "--url", f"ws://{daemon.address('hubbub')}/crosslink/ws",
        "--pub-path", "/rpc",
        "--publish-ws",
        '{"jsonrpc":"2.0","id":%n%,"method":"issues.comment",'
        f'"params":{{"id":{scene.issue()},"content":"%pad% %n%"}}}}',
    )  # fmt: skip


def _run(scene: Scene, pid: int, load: tuple[str, ...], *arguments: str) -> Reading:
    result = scene.tools.hubload("fanout", *load, *arguments, "--pid", str(pid))
    return Reading(value=result["cpu_s_per_M"], detail=result)
