"""Path globs: what they are, and whether two of them overlap."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubbub.core.tracker.globs import overlap, parse
from hubbub.errors import InvalidRequest


SEGMENTS = ["".join(s) for n in range(1, 6) for s in itertools.product("ab]c", repeat=n)]
PATHS = [path for n in range(7) for path in itertools.product("ab", repeat=n)]


def matches(glob: str, path: tuple[str, ...]) -> bool:
    """Say, the slow and simple way, whether a glob matches a path."""
    return _segments(glob.split("/"), path)


def _segments(globs: list[str], path: tuple[str, ...]) -> bool:
    if not globs:
        return not path
    if globs[0] == "**":
        return any(_segments(globs[1:], path[n:]) for n in range(len(path) + 1))
    return bool(path) and _text(globs[0], path[0]) and _segments(globs[1:], path[1:])


def _text(glob: str, text: str) -> bool:
    if not glob:
        return not text
    if glob[0] == "*":
        return any(_text(glob[1:], text[n:]) for n in range(len(text) + 1))
    if not text:
        return False
    if glob[0] != "[":
        return glob[0] in ("?", text[0]) and _text(glob[1:], text[1:])
    end = glob.index("]", 3 if glob[1] == "!" else 2)
    members = glob[1:end].removeprefix("!")
    taken = text[0] in members or ("a-b" in members and text[0] in "ab")
    return taken != glob.startswith("[!") and _text(glob[end + 1 :], text[1:])


PLACE = st.sampled_from(["a", "b", "*", "?", "[a]", "[!a]", "[a-b]", "[!a-b]", "[]]", "[!]]"])
GLOB = st.lists(st.sampled_from(["a", "b", "*", "**"]), min_size=1, max_size=3).map("/".join)


def segment(places: int) -> st.SearchStrategy[str]:
    """Give globs of one segment with so many places at most."""
    texts = st.lists(PLACE, min_size=1, max_size=places).map("".join)
    return texts.filter(lambda text: text != "**")


@settings(deadline=None)
@given(segment(3), segment(2))
def test_segments_overlap_as_their_names_do(one: str, other: str) -> None:
    """Two segments overlap exactly if some name matches both; one of five letters must."""
    expected = any(_text(one, name) and _text(other, name) for name in SEGMENTS)
    assert overlap(parse(one), parse(other)) is expected
    assert overlap(parse(other), parse(one)) is expected


@settings(deadline=None)
@given(GLOB, GLOB)
def test_globs_overlap_as_their_paths_do(one: str, other: str) -> None:
    """Two globs overlap exactly if some path matches both; one of six segments must."""
    expected = any(matches(one, path) and matches(other, path) for path in PATHS)
    assert overlap(parse(one), parse(other)) is expected
    assert overlap(parse(other), parse(one)) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("src/app.py", "src/app.py", True),
        ("src/app.py", "src/App.py", False),
        ("src/**", "src/a/b/c.py", True),
        ("src/**", "src", True),
        ("src/**", "srcs/a", False),
        ("src/*", "src/a/b", False),
        ("**/*.py", "src/**", True),
        ("**/*.py", "docs/*.md", False),
        ("**/a/**/b", "x/a/y/z/b", True),
        ("**/a/**/b", "x/a/y/z/c", False),
        ("*a*", "*b*", True),
        ("a*", "*b", True),
        ("a*c", "b*c", False),
        ("[a-m]*", "[n-z]*", False),
        ("[!a-z]", "[a-z]", False),
        ("[.-0]", "[!.0]", False),  # only the slash lies between, and no segment has it
        ("a[*]b", "a*b", True),
        ("a[*]b", "axb", False),
        ("[", "[", None),
        ("ä", "?", True),
        ("[!z-a]", "x", True),  # nothing is taken out
    ],
)
def test_overlap_by_example(one: str, other: str, *, expected: bool | None) -> None:
    """What people write."""
    if expected is None:
        with pytest.raises(InvalidRequest, match="has no"):
            parse(one)
        return
    assert overlap(parse(one), parse(other)) is expected


@pytest.mark.parametrize(
    "glob", ["", "/a", "a/", "a//b", "./a", "a/..", "a\0b", "[]", "a/[!]", "[z-a]", "[/]"]
)
def test_what_is_no_glob_is_refused(glob: str) -> None:
    """The refusal names the glob."""
    with pytest.raises(InvalidRequest, match="is no glob"):
        parse(glob)
