"""`make browser`: install Chromium and what examines the page; say what could not be had.

Chromium comes from the system's own packages, which needs root or `sudo` without a password.
"""

import os
import shutil
import subprocess
import sys

from tests.acceptance.clients import Clients, Unavailable


def chromium() -> str | None:
    """Install Chromium where it is missing; give the reason where that fails."""
    if shutil.which("chromium"):
        return None
    apt, sudo = shutil.which("apt-get"), shutil.which("sudo")
    if apt is None:
        return "no `chromium` on the PATH, and no apt-get to install it"
    if os.geteuid() != 0 and sudo is None:
        return "no `chromium` on the PATH; as root: apt-get install chromium"
    front = [] if os.geteuid() == 0 or sudo is None else [sudo, "-n"]
    quiet = ["-q", "-y", "--no-install-recommends"]
    for words in (["update", "-q"], ["install", *quiet, "chromium", "fonts-dejavu-core"]):
        done = subprocess.run([*front, apt, *words], check=False, stdout=sys.stderr)
        if done.returncode:
            return f"`apt-get {words[0]}` failed with {done.returncode}"
    return None


def axe() -> str | None:
    """Install axe-core where it is missing; give the reason where that fails."""
    try:
        Clients.default().axe()
    except Unavailable as missing:
        return str(missing)
    return None


def main() -> None:
    """Install both; a finding is a line, and no failure: the tests say what they skip."""
    for name, reason in (("chromium", chromium()), ("axe-core", axe())):
        sys.stdout.write(f"{name}: {reason or 'is here'}\n")


if __name__ == "__main__":
    main()
