"""The page of this door tells the truth about its limits."""

from pathlib import Path

import pytest

from hubbub.core.identity.presence import PresenceRules
from hubbub.core.tracker.issues import TrackerLimits
from hubbub.core.tracker.locks import LockRules
from hubbub.dialects.crosslink.settings import CrosslinkSettings


PAGE = Path(__file__).parents[3] / "docs" / "doors" / "crosslink.md"

SECTIONS = {
    "dialects.crosslink": CrosslinkSettings(),
    "tracker": TrackerLimits(),
    "locks": LockRules(),
    "presence": PresenceRules(),
}


def test_a_limit_of_nothing_is_refused() -> None:
    """No setting of this door may shut it."""
    with pytest.raises(ValueError, match="ring_events must be over 0"):
        CrosslinkSettings(ring_events=0)


@pytest.mark.parametrize("section", list(SECTIONS))
def test_every_limit_stands_on_the_page_with_its_default(section: str) -> None:
    """A limit that changes or is new must change on the page as well."""
    rows = [line.split("|")[1:3] for line in PAGE.read_text("utf-8").splitlines() if "|" in line]
    written = {name.strip(" `"): value.strip() for name, value in rows}
    settings = SECTIONS[section]
    for field in settings.__struct_fields__:
        default = float(written[f"{section}.{field}"].replace(",", ""))
        assert default == getattr(settings, field), field
