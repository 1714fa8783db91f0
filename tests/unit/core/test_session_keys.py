"""Session keys: every spelling has one canonical key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.core.chat.session_keys import agent_id, agent_of, canonical, main_key, topic_of
from hubbub.errors import InvalidRequest


@pytest.mark.parametrize(
    ("spelling", "key"),
    [
        ("main", "agent:main:main"),
        (" main ", "agent:main:main"),
        ("agent:main:main", "agent:main:main"),
        ("AGENT:Main:main", "agent:main:main"),
        ("holiday", "agent:main:holiday"),
        ("whatsapp:group:1@g.us", "agent:main:whatsapp:group:1@g.us"),
        ("agent:Scout One:discord:channel:7", "agent:scout-one:discord:channel:7"),
        ("agent:scout:subagent:a:b", "agent:scout:subagent:a:b"),
        ("global", "global"),
        ("unknown", "unknown"),
        ("agent", "agent:main:agent"),
    ],
)
def test_spelling_has_one_canonical_key(spelling: str, key: str) -> None:
    """Whatever a caller writes, the session is found under one key."""
    assert canonical(spelling) == key


@pytest.mark.parametrize(
    "spelling", ["", "  ", "a\nb", "x" * 513, "agent:", "agent:main", "agent:main:", "agent::main"]
)
def test_unusable_key_is_refused(spelling: str) -> None:
    """A key without a usable form is refused, not guessed at."""
    with pytest.raises(InvalidRequest):
        canonical(spelling)


def test_longest_key_is_taken() -> None:
    """512 characters are allowed."""
    assert canonical("x" * 512) == "agent:main:" + "x" * 512


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ann", "ann"),
        ("Ann Other", "ann-other"),
        ("--x", "x"),
        ("ünï", "n-"),
        ("", "main"),
        ("???", "main"),
        ("a" * 80, "a" * 64),
        ("a_b-c9", "a_b-c9"),
    ],
)
def test_agent_id_has_only_its_characters(name: str, expected: str) -> None:
    """An agent's name is lower-cased, and what cannot stand in a key becomes a dash."""
    assert agent_id(name) == expected


@given(st.text())
def test_agent_id_is_its_own_id(name: str) -> None:
    """Normalising twice is normalising once."""
    assert agent_id(agent_id(name)) == agent_id(name)


@pytest.mark.parametrize(
    ("key", "agent"), [("agent:scout:x:y", "scout"), ("global", "main"), ("unknown", "main")]
)
def test_agent_of_a_key(key: str, agent: str) -> None:
    """The agent stands in the key; keys of nobody belong to the default agent."""
    assert agent_of(key) == agent


def test_main_key_and_topic() -> None:
    """The main session of an agent, and where its events are told."""
    assert main_key() == "agent:main:main"
    assert topic_of(main_key("Scout")) == "chat/agent:scout:main"
