"""Fields of a session: which may be changed, to what, and what a reset leaves."""

from typing import Any

import pytest

from hubbub.core.chat.session_fields import after_reset, patched
from hubbub.errors import InvalidRequest


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"thinkingLevel": "High"}, {"thinkingLevel": "high"}),
        ({"thinkingLevel": None}, {}),
        ({"label": " trip "}, {"label": "trip"}),
        ({"model": "acme/large"}, {"providerOverride": "acme", "modelOverride": "large"}),
        ({"model": "large"}, {"modelOverride": "large"}),
        ({"model": None}, {}),
        ({"spawnedBy": "agent:main:main"}, {"spawnedBy": "agent:main:main"}),
        ({"execNode": "n1", "execHost": "node"}, {"execNode": "n1", "execHost": "node"}),
    ],
)
def test_change_is_made(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    """Words are checked and lower-cased, texts trimmed, null clears, other fields stay."""
    assert patched({"lastTo": "+1"}, changes) == {"lastTo": "+1", **expected}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sendPolicy": "never"}, r"invalid sendPolicy \(use allow\|deny\)"),
        ({"thinkingLevel": 7}, r"invalid thinkingLevel \(use off\|minimal\|low\|medium\|high"),
        ({"label": ""}, "invalid label: a text of 1 to 64 characters"),
        ({"label": "x" * 65}, "invalid label"),
        ({"execNode": 7}, "invalid execNode: a text of 1 to 512 characters"),
        ({"sessionId": "x"}, "unknown field 'sessionId'; a patch takes thinkingLevel,"),
        ({"spawnedBy": "other"}, "spawnedBy cannot be changed once set"),
    ],
)
def test_bad_change_is_refused(changes: dict[str, Any], message: str) -> None:
    """The error names the field and what it takes."""
    with pytest.raises(InvalidRequest, match=message):
        patched({"spawnedBy": "one"}, changes)


def test_same_spawner_again_is_no_change() -> None:
    """Setting what is set already is allowed."""
    assert patched({"spawnedBy": "one"}, {"spawnedBy": "one"}) == {"spawnedBy": "one"}


def test_reset_keeps_names_levels_and_routing() -> None:
    """Counts begin at 0, what the user chose stays, what the old conversation made goes."""
    before = {"label": "trip", "lastTo": "+1", "thinkingLevel": "low", "inputTokens": 9, "x": 1}
    assert after_reset(before) == {
        "label": "trip",
        "lastTo": "+1",
        "thinkingLevel": "low",
        "inputTokens": 0,
        "outputTokens": 0,
        "totalTokens": 0,
        "systemSent": False,
        "abortedLastRun": False,
    }
