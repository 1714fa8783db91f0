"""Positions, principals, topics, ids."""

import re

import pytest

from hubbub.core.values import (
    OPERATOR,
    Position,
    Principal,
    check_topic,
    is_loopback,
    uuid7,
    wall_clock,
)
from hubbub.errors import Forbidden, InvalidRequest


def test_cursor_comes_back_as_the_same_position() -> None:
    """A cursor is read back as it was written, with any epoch."""
    position = Position(epoch="e:1", seq=42)

    assert Position.parse(position.cursor()) == position


@pytest.mark.parametrize("cursor", ["", "x", ":1", "e:", "e:-1", "e:1.5", "e:٣", "e: 1"])
def test_foreign_text_is_no_cursor(cursor: str) -> None:
    """What we did not make is refused with a sentence."""
    with pytest.raises(InvalidRequest, match="is not a cursor"):
        Position.parse(cursor)


def test_principal_ids_tell_kinds_apart() -> None:
    """An agent called operator is not the operator."""
    agent = Principal(name="operator")

    assert (agent.id, agent.agent) == ("agent:operator", "operator")
    assert (OPERATOR.id, OPERATOR.agent) == ("operator", None)


@pytest.mark.parametrize(
    ("have", "need", "may"),
    [
        ("read", "read", True),
        ("read", "write", False),
        ("write", "read", True),
        ("write", "admin", False),
        ("admin", "write", True),
        ("admin", "read", True),
    ],
)
def test_scopes_include_the_smaller_ones(have: str, need: str, *, may: bool) -> None:
    """Admin may write, who may write may read, and nothing the other way round."""
    principal = Principal(name="a", scopes=frozenset((have,)))  # type: ignore[arg-type]

    if may:
        principal.require(need)  # type: ignore[arg-type]
    else:
        with pytest.raises(Forbidden, match=need):
            principal.require(need)  # type: ignore[arg-type]


def test_topics_have_a_length() -> None:
    """Empty and over 65,535 bytes are refused; bytes count, not characters."""
    assert check_topic("é" * 32_767) == "é" * 32_767
    for topic in ("", "é" * 32_768):
        with pytest.raises(InvalidRequest, match="topic"):
            check_topic(topic)


def test_ids_are_uuids_of_version_7_and_rise_with_time() -> None:
    """Version, variant and the time stand where RFC 9562 puts them."""
    before = wall_clock()
    made = uuid7()

    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made
    )
    assert before <= int(made[:8] + made[9:13], 16) <= wall_clock()
    assert made != uuid7()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 an address to look at
        ("::", False),
        ("::ffff:10.0.0.1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_loopback_is_what_no_other_machine_reaches(host: str, *, expected: bool) -> None:
    """A name other than localhost is not looked up, so it counts as reachable."""
    assert is_loopback(host) is expected
