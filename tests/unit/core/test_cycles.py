"""Circles in the graph of who waits for whom."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hubbub.core.tracker.cycles import Edge, find_cycle, told


NAMES = st.sampled_from("abcde")


def edge(one: str, other: str) -> Edge:
    """Make an edge."""
    return Edge(one, f"locks/{other}", other)


@given(st.lists(st.builds(edge, NAMES, NAMES)), NAMES)
def test_circle_is_found_exactly_where_one_is(edges: list[Edge], start: str) -> None:
    """There is one exactly if the agent can be reached from itself; it leads back to it."""
    reached = {e.held_by for e in edges if e.agent == start}
    for _ in edges:
        reached |= {e.held_by for e in edges if e.agent in reached}
    cycle = find_cycle(edges, start)
    assert bool(cycle) == (start in reached)
    if cycle:
        assert cycle[0].agent == cycle[-1].held_by == start
        assert all(a.held_by == b.agent for a, b in pairwise(cycle))
        assert set(cycle) <= set(edges)
        assert len({e.agent for e in cycle}) == len(cycle)


def test_shortest_circle_is_told_in_words() -> None:
    """Of two circles the shorter is given."""
    edges = [edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("b", "a")]
    text = "a waits for locks/b of b, b waits for locks/a of a"
    assert told(find_cycle(edges, "a")) == text
