"""Logs and metrics: set up here, used everywhere, with no policy of their own.

Every log line has a stable event name as its first argument; the rest are keys.
"""

import contextlib
import logging
import sys
import time
from collections import deque
from typing import Any, TextIO, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


SAMPLED_EVERY = 13
"""One in so many is measured; not a power of two, by which requests often come."""

log: Any = structlog.get_logger("hubbub")


def set_up_logging(level: str = "info", *, as_json: bool = False) -> None:
    """Send logs to standard error, as text for people or one JSON object a line."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # Not the default: that one shows the values of variables, tokens among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if as_json else _as_it_is,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Quiet(sys.stderr))),
        cache_logger_on_first_use=False,
    )
    # It warns of subprotocols that are not spoken here, and a browser's token may be one.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)


class _Quiet:
    """A stream whose failures are nobody's: on a full disk a log line is lost, and no more.

    Logging happens in the middle of telling and answering; were it to raise there, a daemon
    could not recover by itself when the disk does.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write, if it can be written."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        """Flush, if it can be flushed."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def _as_it_is(_logger: object, _name: str, entry: Any) -> Any:
    return entry


class Recent:
    """The newest durations of something, for their quantiles; adding one costs next to nothing.

    One thread may add while another asks.
    """

    def __init__(self, most: int = 1024) -> None:
        """Keep this many."""
        self._seconds: deque[float] = deque(maxlen=most)
        self.add = self._seconds.append

    def quantile(self, part: float) -> float | None:
        """Give the duration under which this part of them is; ``None``: there is none."""
        seconds = sorted(self._seconds)
        return seconds[min(int(part * len(seconds)), len(seconds) - 1)] if seconds else None


class Sampled:
    """Measures now and then how long something takes: most of the time it only counts."""

    __slots__ = ("_left", "recent")

    def __init__(self) -> None:
        """Measure the first."""
        self.recent = Recent()
        self._left = 1

    def begin(self) -> float:
        """Begin one; gives what ``end`` takes, or 0: this one is not measured."""
        self._left -= 1
        if self._left:
            return 0.0
        self._left = SAMPLED_EVERY
        return time.perf_counter()

    def end(self, began: float) -> None:
        """End one that is measured."""
        self.recent.add(time.perf_counter() - began)


class Metrics:
    """The daemon's metric objects, in a registry of their own."""

    def __init__(self) -> None:
        """Make the metrics; one object per daemon."""
        self.registry = CollectorRegistry()
        self.connections = Gauge(
            "hubbub_connections",
            "Open WebSocket and SSE connections.",
            ["listener"],
            registry=self.registry,
        )
        self.requests = Counter(
            "hubbub_http_requests",
            "HTTP requests answered.",
            ["listener", "status"],
            registry=self.registry,
        )
        self.dropped = Counter(
            "hubbub_frames_dropped",
            "Frames that a slow client did not get.",
            ["listener"],
            registry=self.registry,
        )
        self.slow_closes = Counter(
            "hubbub_slow_consumer_closes",
            "Connections closed because the client was too slow.",
            ["listener"],
            registry=self.registry,
        )
        self.refused = Counter(
            "hubbub_refused",
            "Requests, messages and connections refused because of a limit.",
            ["listener", "limit"],
            registry=self.registry,
        )
        self.turn_seconds = Histogram(
            "hubbub_turn_seconds",
            "Duration of agent turns.",
            ["agent", "outcome"],
            registry=self.registry,
        )

        self.answers = Sampled()
        """Seconds from a request to its answer."""

    def text(self) -> bytes:
        """Give all figures in the text format that Prometheus reads."""
        return generate_latest(self.registry)

    def gauge(self, name: str, help_text: str, read: Any) -> None:
        """Add a figure that is read when somebody asks."""
        Gauge(name, help_text, registry=self.registry).set_function(read)
