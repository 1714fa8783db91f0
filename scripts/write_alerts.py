"""Write docs/alerts.md from the rules for Prometheus in packaging/hubbub.rules.yml.

Run as `python -m scripts.write_alerts`; a test fails while the page is out of step. The rules are
YAML in one plain form, one line for each value, which is all that is read here.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec


ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "alerts.md"
RULES = ROOT / "packaging" / "hubbub.rules.yml"

HEAD = """# Alerts

What should wake somebody, what it means, and what to do next. The rules are a file for Prometheus,
[hubbub.rules.yml](../packaging/hubbub.rules.yml): name it under `rule_files`, and scrape
[the metrics](metrics.md) under the job name `hubbub`.

An alert with the severity *page* is for now, one with *ticket* for working hours. The figures in
the rules suit one machine; change them where yours are other.

This page is made of the rules by `python -m scripts.write_alerts`.
"""

ALERT = re.compile(
    r"""      - alert: (?P<name>\w+)
        expr: (?P<expression>.+)
(?:        for: (?P<lasts>\w+)
)?        labels: {severity: (?P<severity>page|ticket)}
        annotations:
          summary: "(?P<summary>[^"]+)"
          meaning: "(?P<meaning>[^"]+)"
          next_step: "(?P<next_step>[^"]+)"
"""
)


class Alert(msgspec.Struct, frozen=True):
    """One rule."""

    name: str
    expression: str
    lasts: str | None
    severity: str
    summary: str
    meaning: str
    next_step: str


def alerts() -> Iterator[Alert]:
    """Read the rules.

    Raises:
        ValueError: Something in the file has another form.
    """
    _, _, text = RULES.read_text("utf-8").partition("    rules:\n")
    if rest := ALERT.sub("", text):
        message = f"{RULES.name}: not understood: {rest[:200]}"
        raise ValueError(message)
    for found in ALERT.finditer(text):
        yield Alert(**found.groupdict())


def page() -> str:
    """Make the whole page."""
    return HEAD + "".join(_alert(alert) for alert in alerts())


def _alert(alert: Alert) -> str:
    lasts = f" for {alert.lasts}" if alert.lasts else ""
    summary = re.sub(r"{{ \$labels\.(\w+) }}", r"*\1*", alert.summary)
    return f"""
## {alert.name}

{summary}. Severity: {alert.severity}.

When: `{alert.expression}`{lasts}

**It means:** {alert.meaning}

**Next:** {alert.next_step}
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
