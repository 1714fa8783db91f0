"""The lock is in step with pyproject.toml and tells nothing about who made it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest


ROOT = Path(__file__).parents[2]
LOCKS = ("run.txt", "dev.txt", "docs.txt")


def lock(name: str) -> str:
    """Give the text of one lock."""
    return (ROOT / "requirements" / name).read_text(encoding="utf-8")


def locked(name: str) -> dict[str, str]:
    """Give the version of each package in one lock."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock(name), flags=re.MULTILINE))


def project() -> dict[str, Any]:
    """Give pyproject.toml as plain data."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def names(requirements: list[Any]) -> set[str]:
    """Give the package names of a list of requirements; included groups are left out."""
    plain = [entry for entry in requirements if isinstance(entry, str)]
    return {re.split(r"[<>=!~ ;\[]", entry, maxsplit=1)[0] for entry in plain}


@pytest.mark.parametrize("name", LOCKS)
def test_lock_holds_only_versions_and_hashes(name: str) -> None:
    """No address, option or path: the lock works with whatever index the reader has set up."""
    entry = re.compile(r"[a-z0-9-]+==\S+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    odd = [line for line in lock(name).splitlines() if not entry.fullmatch(line)]
    assert odd == []


def test_development_lock_contains_run_lock() -> None:
    """`make test` after `make demo`, or the other way round, changes no version."""
    assert locked("run.txt").items() <= locked("dev.txt").items()


def test_documentation_lock_agrees_with_the_others() -> None:
    """`make docs` beside `make test` changes no version."""
    development, documentation = locked("dev.txt"), locked("docs.txt")
    shared = development.keys() & documentation.keys()
    assert {name: documentation[name] for name in shared} == {
        name: development[name] for name in shared
    }


def test_every_direct_dependency_is_locked() -> None:
    """A dependency added to pyproject.toml without `make lock` is noticed."""
    wanted = project()
    run = names(wanted["project"]["dependencies"]) | names(wanted["dependency-groups"]["build"])
    assert run <= locked("run.txt").keys()
    assert names(wanted["dependency-groups"]["dev"]) <= locked("dev.txt").keys()
    assert names(wanted["dependency-groups"]["docs"]) <= locked("docs.txt").keys()


def test_core_dependencies_stay_at_ten() -> None:
    """An eleventh dependency is a decision to discuss, not a line to add."""
    assert len(project()["project"]["dependencies"]) <= 10
