"""How commands say things to people."""

import pytest

from hubbub.cli import output


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
