"""What a view shows, as data: its rows and their fields.

Views mark rows with ``data-row`` (what it is, and which), fields in them with ``data-field``, and
what goes by the clock or is told to nobody later with ``data-fading``: that is left out here.
"""

from typing import Any

from tests.browser.visitor import Visitor


Row = dict[str, Any]

READ = """async (position) => {
  const frame = () => new Promise((next) => requestAnimationFrame(next));
  const main = document.querySelector("main");
  const isQuiet = () =>
    document.body.dataset.reading === "0" && Number(main.dataset.position) === position;
  // Three frames in a row: what was read is drawn in the next, and may ask for more.
  for (let quiet = 0, frames = 0; quiet < 3 && frames < 600; frames += 1) {
    await frame();
    quiet = isQuiet() ? quiet + 1 : 0;
  }
  if (!isQuiet()) return null;
  const words = (element) => {
    const copy = element.cloneNode(true);
    for (const fading of copy.querySelectorAll("[data-fading]")) fading.remove();
    return copy.textContent.replace(/\\s+/g, " ").trim();
  };
  const isFading = (element) => element.closest("[data-fading], [hidden]") !== null;
  const own = (row) => (field) => field.closest("[data-row]") === row && !isFading(field);
  return [...main.querySelectorAll("[data-row]")].filter((row) => !isFading(row)).map((row) => ({
    row: row.dataset.row,
    state: row.dataset.state ?? null,
    fields: [...row.querySelectorAll("[data-field]")].filter(own(row))
      .map((field) => [field.dataset.field, words(field)]),
  }));
}"""


async def rows(visitor: Visitor, position: int) -> list[Row] | None:
    """Read the rows of the view that is open, once it shows a position and reads nothing more.

    Returns:
        ``None``: it shows another position; the room has moved on meanwhile.
    """
    found: list[Row] | None = await visitor.call(READ, position)
    return found
