"""axe-core in the page: what people who need aids could not use."""

import functools
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clients import Clients, Unavailable
from tests.browser.visitor import Visitor


SERIOUS = {"serious", "critical"}
RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  const where = (node) => `${node.target}: ${node.failureSummary}`;
  return violations.map(({ id, impact, help, nodes }) =>
    ({ id, impact, help, where: nodes.slice(0, 5).map(where) }));
}"""


@functools.cache
def script() -> Path:
    """Give axe-core's file; a test without it is skipped, and says why."""
    try:
        return Clients.default().axe()
    except Unavailable as missing:
        pytest.skip(f"axe-core: {missing}")


async def serious_findings(visitor: Visitor) -> list[dict[str, Any]]:
    """Give what axe finds serious or worse in what is shown now."""
    if not await visitor.call("() => typeof axe === 'object'"):
        await visitor.call(script().read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = await visitor.call(RUN)
    return [each for each in found if each["impact"] in SERIOUS]
