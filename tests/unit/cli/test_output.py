"""How commands say things to people."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from hubbub.cli import doctor, output


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (-5, "0 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (3_599_999, "59 min"),
        (3_600_000, "1 h"),
        (86_400_000 * 3, "3 d"),
    ],
)
def test_span_is_told_in_its_largest_unit(ms: int, text: str) -> None:
    """Never rounded up, and a clock that went back is no span at all."""
    assert output.ago(ms) == text


def test_full_disk_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little space is told with its size, and what to keep less of."""
    free = SimpleNamespace(free=doctor.FREE_BYTES - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: free)

    (disk,) = [found for found in doctor.examine(tmp_path, tmp_path) if found.what == "disk"]

    assert (disk.ok, disk.detail) == (False, "255 MiB free")
    assert "store.retention_bytes" in disk.fix
