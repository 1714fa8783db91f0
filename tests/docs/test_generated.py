"""Pages that are made of the code are what the code says."""

import re
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest

from scripts import write_alerts, write_methods, write_metrics, write_options
from tests.daemon import Daemon


@pytest.mark.parametrize("script", [write_alerts, write_methods, write_metrics, write_options])
def test_page_is_what_the_code_says(script: ModuleType) -> None:
    """`python -m scripts.write_…` brings a page up to date."""
    assert Path(script.PAGE).read_text(encoding="utf-8") == script.page()


async def test_metrics_page_names_what_a_daemon_gives(daemon: Daemon) -> None:
    """No figure of a real daemon is missing there, and none is there that it does not give."""
    async with aiohttp.ClientSession() as http, http.get(daemon.url("hubbub", "/metrics")) as got:
        text = await got.text()
    given = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    # Each also tells when it was created; no alert needs that.
    given = {name for name in given if not name.endswith("_created")}
    told = {row.samples[0].removesuffix("_bucket") for row in write_metrics.rows()}
    assert told == given


def test_every_parameter_has_a_type() -> None:
    """Nothing in the method table has a form that the page cannot say."""
    page = write_methods.page()
    assert "None" not in page
    assert all(f"### `{name}`\n" in page for name in write_methods.table())


def test_every_metric_of_an_alert_exists() -> None:
    """Under the name, and with the labels, that Prometheus reads."""
    labels = {name: set(row.labels) for row in write_metrics.rows() for name in row.samples}
    labels["up"] = {"job"}  # Prometheus' own
    for alert in write_alerts.alerts():
        names = re.findall(r"\b(up|hubbub_\w+)\b", alert.expression)
        assert names
        assert set(names) <= labels.keys(), alert.name
        used = re.findall(r"{(\w+)=", alert.expression)
        for group in re.findall(r"by \(([^)]*)\)", alert.expression):
            used += group.split(", ")
        assert set(used) <= set().union(*(labels[name] for name in names)), alert.name
        told = set(re.findall(r"\$labels\.(\w+)", alert.summary))
        assert told <= set(used), alert.name


def test_alerts_name_settings_that_exist() -> None:
    """A next step that nobody can take is noticed."""
    settings = (write_alerts.ROOT / "docs" / "settings.md").read_text("utf-8")
    for alert in write_alerts.alerts():
        for key in re.findall(r"`limits\.(\w+)`", alert.next_step):
            assert f"| `{key}` |" in settings, alert.name
