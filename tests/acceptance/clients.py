"""Real clients, and what examines the page, from the package indexes, in a folder outside the tree.

The folder is `$HUBBUB_ACCEPTANCE_CACHE`, else the platform's cache folder. A client is installed
once, completely or not at all. Where that fails, because there is no network or no npm, the
tests of that client are skipped and the reason is shown.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import platformdirs


CAR_VERSIONS = ("0.22.0", "0.58.0")
CLAWDBOT_VERSION = "2026.1.24-3"
AXE_VERSION = "4.14.1"
NODE_VERSION = "22"
"""The npm package `node` carries the interpreter itself; clawdbot wants 22.12 or newer."""

INSTALL_S = 600.0

CLAWDBOT_PACKAGE = {
    "private": True,
    "dependencies": {
        "clawdbot": CLAWDBOT_VERSION,
        # It is imported without being declared, so it must be at the top.
        "strip-ansi": "7.1.2",
    },
    "overrides": {
        # Declared as a git address, which needs more than the registry.
        "libsignal": "6.0.0",
        # Its later releases depend on a package that not every registry has.
        "linkedom": "0.18.12",
        # Local language models: a gigabyte that no test needs.
        "node-llama-cpp": "file:./absent",
    },
}
ABSENT_PACKAGE = {"name": "node-llama-cpp", "version": "0.0.0"}


class Unavailable(Exception):
    """A client cannot be installed here; the text says why."""


class Clients:
    """The cache of installed clients."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def default(cls) -> "Clients":
        """Return the cache in the configured folder or the platform's."""
        named = os.environ.get("HUBBUB_ACCEPTANCE_CACHE")
        folder = Path(named) if named else platformdirs.user_cache_path("hubbub") / "acceptance"
        return cls(folder.resolve())

    def car_runtime(self, version: str) -> Path:
        """Return the folder to put on PYTHONPATH for one version of the `car-runtime` wheel.

        Raises:
            Unavailable: It cannot be installed.
        """

        def install(target: Path) -> None:
            _run(
                [
                    sys.executable, "-m", "pip", "install", "--quiet",
                    "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:",
                    "--target", str(target), f"car-runtime=={version}",
                ]
            )  # fmt: skip

        # The wheel is for one platform; its interface to Python is stable from 3.9 on.
        return self.installed(f"car-runtime-{version}", install)

    def node(self) -> Path:
        """Return the program of node 22.

        Raises:
            Unavailable: It cannot be installed.
        """

        def install(target: Path) -> None:
            # This package's own install step fetches the build for this platform, through npm.
            _npm(target, "install", "--no-save", f"node@{NODE_VERSION}")

        program = self.installed(f"node-{NODE_VERSION}", install) / "node_modules/node/bin/node"
        if not program.exists():
            reason = f"the npm package node@{NODE_VERSION} came without its program"
            raise Unavailable(reason)
        return program

    def clawdbot(self) -> Path:
        """Return clawdbot's entry script, to be run by `node`.

        Raises:
            Unavailable: It cannot be installed.
        """

        def install(target: Path) -> None:
            (target / "package.json").write_text(json.dumps(CLAWDBOT_PACKAGE))
            (target / "absent").mkdir()
            (target / "absent" / "package.json").write_text(json.dumps(ABSENT_PACKAGE))
            # Install scripts of some four hundred packages: none of them is needed.
            _npm(target, "install", "--ignore-scripts", "--omit=dev", "--no-save")

        folder = self.installed(f"clawdbot-{CLAWDBOT_VERSION}", install)
        return folder / "node_modules/clawdbot/dist/entry.js"

    def axe(self) -> Path:
        """Return the script that finds what people who need aids could not use.

        Raises:
            Unavailable: It cannot be installed.
        """

        def install(target: Path) -> None:
            _npm(target, "install", "--ignore-scripts", "--no-save", f"axe-core@{AXE_VERSION}")

        return self.installed(f"axe-{AXE_VERSION}", install) / "node_modules/axe-core/axe.min.js"

    def installed(self, name: str, install: Callable[[Path], None]) -> Path:
        """Install into a folder beside the final one and move it there when it is whole."""
        target = self.folder / name
        if target.exists():
            return target
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"the cache folder cannot be made: {error}"
            raise Unavailable(reason) from None
        with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=self.folder) as unfinished:
            whole = Path(unfinished) / name
            whole.mkdir()
            install(whole)
            try:
                whole.rename(target)
            except OSError:
                # Another run has installed the same meanwhile; one is as good as the other.
                if not target.exists():
                    raise
        return target


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment in which a client finds only what the test gives it."""
    home.mkdir(parents=True, exist_ok=True)
    path = os.environ.get("PATH", os.defpath)
    return {"PATH": path, "HOME": str(home), "NO_PROXY": "*", "NO_COLOR": "1", **more}


def _npm(target: Path, *arguments: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        reason = "npm is not on the PATH"
        raise Unavailable(reason)
    quiet = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel", "error")
    _run([npm, "--prefix", str(target), *arguments, *quiet], cwd=target)


def _run(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_S,
        )
    except subprocess.TimeoutExpired:
        reason = f"`{' '.join(command[:4])} …` did not end within {INSTALL_S:g} s"
        raise Unavailable(reason) from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        errors = [line for line in said if "error" in line.lower()] or said or ["nothing"]
        reason = f"`{' '.join(command[:4])} …` failed: {errors[0][:200]}"
        raise Unavailable(reason)
