"""Write docs/metrics.md from the daemon's registry, and from what it adds when it starts.

Run as `python -m scripts.write_metrics`; a test fails while the page is out of step.
"""

from collections.abc import Iterable
from pathlib import Path
from unittest.mock import MagicMock

import msgspec
from prometheus_client import Metric

from hubbub.app import Daemon
from hubbub.telemetry import Metrics


PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"

HEAD = """# Metrics

`GET /metrics` on hubbub's own listener gives these figures in the text format of Prometheus.
It needs no token and tells nothing of what was said. All are of this process: counters begin at 0
when the daemon starts.
[Alerts](alerts.md) says which of them should wake somebody.

```yaml
scrape_configs:
  - job_name: hubbub
    static_configs:
      - targets: ["127.0.0.1:7070"]
```

`system.health` ([methods](methods.md#systemhealth)) gives the same and more as JSON, with each
connection and each limit.

This page is made from the code by `python -m scripts.write_metrics`.

| Name | Type | Labels | What |
|---|---|---|---|
"""

SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
"""What Prometheus reads is called the metric's name with one of these behind it."""


class Row(msgspec.Struct, frozen=True):
    """One metric."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()

    @property
    def samples(self) -> tuple[str, ...]:
        """The names under which its figures are read."""
        return tuple(self.name + suffix for suffix in SUFFIXES[self.kind])


def rows() -> list[Row]:
    """Give all metrics: those that are made with the daemon, and those that it adds later."""
    metrics = Metrics()
    daemon = MagicMock(metrics=metrics)
    Daemon._show(daemon, MagicMock(), MagicMock(), MagicMock())  # noqa: SLF001 the place of them
    return [_row(metrics, metric) for metric in metrics.registry.collect()]


def page() -> str:
    """Make the whole page."""
    return HEAD + "".join(
        f"| {_marked(row.samples)} | {row.kind} | {_marked(row.labels)} | {row.help} |\n"
        for row in rows()
    )


def _marked(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _row(metrics: Metrics, metric: Metric) -> Row:
    labels = [
        made._labelnames  # noqa: SLF001 the library shows them nowhere else
        for made in vars(metrics).values()
        if getattr(made, "_name", None) == metric.name
    ]
    return Row(metric.name, metric.type, metric.documentation.rstrip("."), *map(tuple, labels))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
