"""Every example of the documents does what the page says, or says itself why it is not tried."""

from pathlib import Path

import pytest

from tests.docs.examples import MARKS, Example, examples, reading


DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(
    page
    for page in DOCS.rglob("*.md")
    if page.parent.name in {"doors", "concepts"} or page.stem in {"tutorial", "service"}
)
MARKED = [page for page in PAGES if any(examples(page))]


@pytest.mark.parametrize("page", MARKED, ids=lambda page: page.stem)
@pytest.mark.timeout(180)
def test_examples(page: Path, tmp_path: Path) -> None:
    """Typed one after the other, as they stand on the page, they work."""
    found = list(examples(page))
    with reading(tmp_path) as reader:
        if not any(example.act == "daemon" for example in found):
            reader.serve([])
        for example in found:
            reader.follow(example)


@pytest.mark.parametrize("page", MARKED, ids=lambda page: page.stem)
def test_every_example_says_what_a_test_does_with_it(page: Path) -> None:
    """A block without a mark, or with one that nobody understands, is noticed."""
    assert [found.where for found in examples(page) if not MARKS.fullmatch(found.mark)] == []


def test_pages_have_examples() -> None:
    """Every door begins with lines that were tried, and so does the tutorial."""
    tried = {page.stem for page in MARKED if any(_runs(found) for found in examples(page))}
    assert {"tutorial", "hubbub", "x0x", "crosslink", "car", "openclaw"} <= tried


def _runs(example: Example) -> bool:
    return example.act == "runs"


def test_reader_notices_a_failure(tmp_path: Path) -> None:
    """An example that ends badly, or prints something else, fails its page."""
    with reading(tmp_path) as reader:
        reader.serve([])
        with pytest.raises(AssertionError, match="ended with 1"):
            reader.follow(Example("here", "runs", "sh", "false\n"))
        with pytest.raises(AssertionError, match="printed:\ntea"):
            reader.follow(Example("here", "runs, prints: coffee", "sh", "echo tea\n"))
