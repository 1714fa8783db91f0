"""Pages that are made of the code are what the code says."""

import re
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest

from scripts import write_methods, write_metrics, write_options
from tests.daemon import Daemon


@pytest.mark.parametrize("script", [write_methods, write_metrics, write_options])
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
