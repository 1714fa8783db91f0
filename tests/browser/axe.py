"""axe-core in the page: what people who need aids could not use."""

import functools
from pathlib import Path
from typing import Any

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
def script() -> Path | str:
    """Give axe-core's file, or the reason why there is none."""
    try:
        return Clients.default().axe()
    except Unavailable as missing:
        return f"axe-core: {missing}"


async def serious_findings(visitor: Visitor) -> list[dict[str, Any]]:
    """Give what axe finds serious or worse in what is shown now; nothing where there is no axe.

    ``test_walk.py`` says so, in a test of its own: the others look at more than this.
    """
    file = script()
    if isinstance(file, str):
        return []
    if not await visitor.call("() => typeof axe === 'object'"):
        await visitor.call(file.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = await visitor.call(RUN)
    return [each for each in found if each["impact"] in SERIOUS]
