"""The page's modules fit together: there is no build step that would say so."""

import re
from pathlib import Path

import pytest


PAGE = Path(__file__).parents[2] / "src" / "hubbub" / "page"
MODULES = sorted(PAGE.rglob("*.js"))

IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:const|function\*?|class|let) (\w+)", re.MULTILINE)


def exported(module: Path) -> set[str]:
    """Name what a module gives to others."""
    return set(EXPORT.findall(module.read_text()))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PAGE)))
def test_what_a_module_imports_is_there_and_used(module: Path) -> None:
    """Each name is exported where it is said to be, and stands in the module again."""
    text = module.read_text()
    code = IMPORT.sub("", text)
    for names, where in IMPORT.findall(text):
        wanted = {name.strip() for name in names.split(",") if name.strip()}
        assert wanted <= exported((module.parent / where).resolve()), where
        assert {name for name in wanted if not re.search(rf"\b{name}\b", code)} == set()


def test_what_is_exported_is_imported() -> None:
    """Nothing is given that nobody takes."""
    taken = {
        (str((module.parent / where).resolve()), name.strip())
        for module in MODULES
        for names, where in IMPORT.findall(module.read_text())
        for name in names.split(",")
    }
    given = {(str(module), name) for module in MODULES for name in exported(module)}
    assert given - taken == set()
