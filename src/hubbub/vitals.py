"""The figures of a whole daemon, gathered from its parts when somebody asks."""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import structs

from hubbub.config import Settings
from hubbub.core.health import BusHealth, Latency, LimitUse, StoreHealth, Vitals
from hubbub.core.hub import Hub
from hubbub.core.quotas import Quotas
from hubbub.storage.sqlite import SqliteStore
from hubbub.telemetry import Metrics
from hubbub.transport.server import Listener


MOST_CONNECTIONS = 1000
"""Connections that are shown one by one."""
PER_S = "_per_s"


class Look:
    """Gathers the figures of one daemon."""

    def __init__(
        self,
        settings: Settings,
        hub: Hub,
        store: SqliteStore,
        *,
        listeners: Mapping[str, Listener],
        quotas: Quotas,
        metrics: Metrics,
    ) -> None:
        """Look at these parts."""
        self._settings = settings
        self._hub = hub
        self._store = store
        self._listeners = listeners
        self._quotas = quotas
        self._metrics = metrics

    async def __call__(self) -> Vitals:
        """Gather."""
        hub, now = self._hub, self._hub.clock()
        lagging = hub.bus.lagging()
        connections = [
            connection
            for listener in self._listeners.values()
            for connection in listener.connections(now, lagging, MOST_CONNECTIONS)
        ]
        connections.sort(key=lambda connection: connection.since, reverse=True)
        answers = self._metrics.answers.recent
        return Vitals(
            store=await self._store_health(),
            latency=Latency(
                answer_ms_p50=_ms(answers.quantile(0.5)), answer_ms_p99=_ms(answers.quantile(0.99))
            ),
            listeners=[listener.health() for listener in self._listeners.values()],
            connections=connections[:MOST_CONNECTIONS],
            bus=BusHealth(
                subscribers=hub.bus.held(),
                lagging=hub.bus.behind(),
                lags=hub.bus.lags,
                events=hub.bus.events,
            ),
            limits=list(limits(self._settings, await self._used())),
        )

    async def _store_health(self) -> StoreHealth:
        store, commits = self._store, self._store.commits
        size, free = await store.size()
        return StoreHealth(
            healthy=store.healthy,
            bytes=size,
            free_bytes=free,
            units=store.units,
            commits=commits,
            units_waiting=self._hub.journal.waiting,
            commit_ms_mean=_ms(store.commit_s / commits) if commits else None,
            commit_ms_p99=_ms(store.commit_times.quantile(0.99)),
        )

    async def _used(self) -> Mapping[str, int]:
        """Count what is used of the limits for which that is cheap."""
        hub = self._hub
        ((reservations, waiting, absences, turns, turns_waiting),) = await self._store.rows(
            "use_of_limits"
        )
        return {
            "limits.session_tokens": hub.access.sessions,
            "limits.browser_tokens": len(hub.access.browsers),
            "limits.listener_connections": max(
                (listener.peers for listener in self._listeners.values()), default=0
            ),
            "limits.principal_connections": self._quotas.most_connections(remote=False),
            "limits.remote_connections": self._quotas.most_connections(remote=True),
            "dialects.x0x.max_subscriptions": sum(map(len, hub.standing.by_topic.values())),
            "chat.max_turns": turns,
            "chat.max_waiting_turns": turns_waiting,
            "reservations.max_held": reservations,
            "waits.max_waiting": waiting,
            "presence.max_agents": len(hub.presence.list()),
            "absences.max_identities": absences,
        }


def limits(section: msgspec.Struct, used: Mapping[str, int], path: str = "") -> Iterator[LimitUse]:
    """Give every setting that is a limit: all numbers of ``[limits]``, and others' maxima.

    Args:
        used: What is used of some, by the name of the setting.
        path: Names of the sections around this one, each with a dot.
    """
    for field in structs.fields(section):
        value, name = getattr(section, field.name), path + field.name
        if isinstance(value, msgspec.Struct):
            yield from limits(value, used, f"{name}.")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            continue
        elif path == "limits." or {"max", "outbox"} & set(field.name.split("_")):
            unit = unit_of(field.name)
            yield LimitUse(name=name, value=value, unit=unit, used=used.get(name))


def unit_of(setting: str) -> str:
    """Give what a setting counts, by which its name ends."""
    words = setting.removesuffix(PER_S).split("_")
    if words[-1] == "burst":
        words.pop()
    return words[-1] + ("/s" if setting.endswith(PER_S) else "")


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
