"""What clawdbot clients ask for and hubbub has not got, answered truthfully: there is none."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hubbub.core.hub import Hub
from hubbub.dialects.openclaw.frames import Count, Params
from hubbub.dialects.openclaw.methods import Method, NoParams, Request


EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class ListJobs(Params, frozen=True):
    """Parameters of ``cron.list``."""

    include_disabled: bool = False


class ProbeChannels(Params, frozen=True):
    """Parameters of ``channels.status``."""

    probe: bool = False
    timeout_ms: Count | None = None


class Tail(Params, frozen=True):
    """Parameters of ``logs.tail``."""

    cursor: Count | None = None
    limit: Count | None = None
    max_bytes: Count | None = None


ANSWERS: Mapping[str, tuple[type, Mapping[str, Any] | None]] = {
    "last-heartbeat": (NoParams, None),
    "device.pair.list": (NoParams, {"pending": [], "paired": []}),
    "cron.status": (NoParams, {"enabled": False, "storePath": "", "jobs": 0, "nextWakeAtMs": None}),
    "cron.list": (ListJobs, {"jobs": []}),
    "skills.status": (NoParams, {"workspaceDir": "", "managedSkillsDir": "", "skills": []}),
    # The daemon's own settings are no clawdbot configuration, and may name secrets.
    "config.get": (
        NoParams,
        {
            "path": "",
            "exists": False,
            "raw": None,
            "parsed": {},
            "valid": True,
            "config": {},
            "hash": EMPTY_SHA256,
            "issues": [],
            "warnings": [],
            "legacyIssues": [],
        },
    ),
    # The daemon logs to standard error, not to a file of its own.
    "logs.tail": (
        Tail,
        {"file": "", "cursor": 0, "size": 0, "lines": [], "truncated": False, "reset": False},
    ),
}
"""Method to its parameters and its one answer."""

STAMPED: Mapping[str, tuple[type, Mapping[str, Any]]] = {
    "node.list": (NoParams, {"nodes": []}),
    "channels.status": (
        ProbeChannels,
        {
            "channelOrder": [],
            "channelLabels": {},
            "channelDetailLabels": {},
            "channelSystemImages": {},
            "channelMeta": [],
            "channels": {},
            "channelAccounts": {},
            "channelDefaultAccountId": {},
        },
    ),
}
"""The same, for answers that carry the time as ``ts``."""


class Absent:
    """The methods."""

    def __init__(self, hub: Hub) -> None:
        """Tell the time by the hub's clock."""
        self._clock = hub.clock

    def methods(self) -> Sequence[Method]:
        """Give the rows of the method table."""
        return [
            *(
                Method(name=name, params=params, run=_always(answer))
                for name, (params, answer) in ANSWERS.items()
            ),
            *(
                Method(name=name, params=params, run=self._stamped(answer))
                for name, (params, answer) in STAMPED.items()
            ),
        ]

    def _stamped(self, answer: Mapping[str, Any]) -> Callable[[Request, Any], object]:
        return lambda _request, _params: {"ts": self._clock(), **answer}


def _always(answer: object) -> Callable[[Request, Any], object]:
    return lambda _request, _params: answer
