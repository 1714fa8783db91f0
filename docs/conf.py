"""How the documentation is built: `make docs`."""

import sys
from pathlib import Path


ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from hubbub import __version__  # noqa: E402 found by the line above


project = "hubbub"
copyright = "hubbub's authors, Apache-2.0"  # noqa: A001 Sphinx's own name for it
release = version = __version__

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
nitpicky = True

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]

html_theme = "furo"
html_title = "hubbub"
html_static_path: list[str] = []
html_copy_source = False
html_show_sphinx = False
