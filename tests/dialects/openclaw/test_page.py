"""The door's page says what the door does."""

import json
from pathlib import Path

import msgspec
import pytest

from hubbub.dialects.openclaw.settings import OpenclawSettings
from tests.dialects.openclaw.house import House


PAGE = Path(__file__).parents[3] / "docs" / "doors" / "openclaw.md"


@pytest.mark.parametrize("name", OpenclawSettings.__struct_fields__)
def test_setting_is_on_the_page(name: str) -> None:
    """Every setting has a row with its default."""
    default = json.dumps(msgspec.to_builtins(OpenclawSettings())[name])
    assert f"| `{name}` | {default} |" in PAGE.read_text("utf-8")


async def test_method_is_on_the_page(house: House) -> None:
    """Every method is named, in full or by its noun and its verb."""
    text = PAGE.read_text("utf-8")
    for method in house.dialect.methods:
        noun, _, verb = method.partition(".")
        assert f"`{method}`" in text or (f"`{noun}." in text and f"`.{verb}`" in text), method
