"""Put the report of a proof into the documents.

Run as ``python -m scripts.write_proof FOLDER`` on a folder that ``hubbub prove`` wrote. The page
becomes docs/proof.md, its figures docs/proof.json, its first lines and the table of violations
stand in the README. A test fails while these are out of step.
"""

import re
import shutil
import sys
from pathlib import Path

import msgspec

from hubbub.prove.report import Report, summary


ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGE = ROOT / "docs" / "proof.md"
FIGURES = ROOT / "docs" / "proof.json"
BEGIN, END = "<!-- proof: written by scripts/write_proof.py -->", "<!-- end of proof -->"


def main(folder: Path) -> None:
    """Take over a report."""
    shutil.copyfile(folder / "report.md", PAGE)
    shutil.copyfile(folder / "report.json", FIGURES)
    shown = f"{BEGIN}\n\n{summary(figures())}\n\n{END}"
    text = README.read_text("utf-8")
    README.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: shown, text, flags=re.DOTALL), "utf-8")


def figures() -> Report:
    """Read the figures that the documents show."""
    return msgspec.json.decode(FIGURES.read_bytes(), type=Report)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
