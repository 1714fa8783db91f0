"""The manual page: what the commands say, in roff that its readers understand."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from hubbub.cli.main import COMMANDS
from scripts.write_manual import PAGE, page


ROOT = Path(__file__).parents[2]


def test_manual_page_is_what_the_commands_say() -> None:
    """`python -m scripts.write_manual` brings the page up to date."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_command_has_its_heading() -> None:
    """Those of groups too."""
    text = PAGE.read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f'.SS "hubbub {name} ' in text
    assert '.SS "hubbub import events [OPTIONS] FILE"' in text


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff here")
def test_manual_page_has_no_errors() -> None:
    """Groff formats it with all warnings on, and has none."""
    shown = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", str(PAGE)],  # noqa: S607 wherever groff is
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Save store, secrets and settings in FILE" in shown.stdout


def test_wheel_installs_the_manual_page(tmp_path: Path) -> None:
    """Where `man` looks for it."""
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])

    with zipfile.ZipFile(wheel) as opened:
        (name,) = [name for name in opened.namelist() if name.endswith("hubbub.1")]
        assert name.endswith(".data/data/share/man/man1/hubbub.1")
        assert opened.read(name) == PAGE.read_bytes()
