"""Who waits for whom, and the circles in it. Pure."""

from collections import deque
from collections.abc import Iterable

import msgspec


class Edge(msgspec.Struct, frozen=True):
    """One agent waits for what another holds, or will hold before it."""

    agent: str
    waits_for: str
    """Topic of what it waits for: ``locks/7``, ``reservations/waiting``."""
    held_by: str
    """The other agent."""


def find_cycle(edges: Iterable[Edge], start: str) -> list[Edge]:
    """Give a shortest circle through an agent, beginning with what it waits for; or nothing."""
    leaving: dict[str, list[Edge]] = {}
    for edge in edges:
        leaving.setdefault(edge.agent, []).append(edge)
    came: dict[str, Edge] = {}
    look = deque([start])
    while look:
        for edge in leaving.get(look.popleft(), ()):
            if edge.held_by in came:
                continue
            came[edge.held_by] = edge
            if edge.held_by == start:
                return _way(came, start)
            look.append(edge.held_by)
    return []


def told(cycle: Iterable[Edge]) -> str:
    """Put a circle into words."""
    return ", ".join(f"{e.agent} waits for {e.waits_for} of {e.held_by}" for e in cycle)


def _way(came: dict[str, Edge], start: str) -> list[Edge]:
    way = [came[start]]
    while way[-1].agent != start:
        way.append(came[way[-1].agent])
    return way[::-1]
