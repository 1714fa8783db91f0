"""The documents can be found."""

import re
from pathlib import Path


ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def linked_from(index: Path) -> set[Path]:
    """Give the files that a page of Markdown links to by a relative path."""
    targets = re.findall(r"\]\(([^)#:]+)\)", index.read_text(encoding="utf-8"))
    return {(index.parent / target).resolve() for target in targets}


def test_every_page_is_in_an_index() -> None:
    """A page that neither docs/index.md nor the list of decisions links to is lost to readers."""
    indexes = {DOCS / "index.md", DOCS / "decisions" / "README.md"}
    pages = {page.resolve() for page in DOCS.rglob("*.md")} - {DOCS / "index.md"}
    assert pages - set().union(*(linked_from(index) for index in indexes)) == set()
