"""Settings: one frozen struct per area; flag, then environment, then file, then default."""

import os
from pathlib import Path

import msgspec
import platformdirs

from hubbub.core.agents import AgentSettings, ChatSettings
from hubbub.core.issues import TrackerLimits
from hubbub.core.locks import LockRules
from hubbub.core.presence import PresenceRules
from hubbub.dialects.car.settings import CarSettings
from hubbub.dialects.crosslink.settings import CrosslinkSettings
from hubbub.dialects.openclaw.settings import OpenclawSettings
from hubbub.dialects.x0x.settings import X0xSettings


LISTENERS = {
    "hubbub": "127.0.0.1:7070",
    "x0x": "127.0.0.1:12700",
    "crosslink": "127.0.0.1:3100",
    "car": "127.0.0.1:9100",
    "openclaw": "127.0.0.1:18789",
}
"""Default address of each listener."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of one daemon."""

    data_dir: Path = msgspec.field(
        default_factory=lambda: Path(platformdirs.user_data_dir("hubbub"))
    )
    listen: dict[str, str] = msgspec.field(default_factory=lambda: dict(LISTENERS))
    """Address of each listener; ``""`` switches one off."""
    explicit: frozenset[str] = frozenset()
    """Listeners whose address was asked for: one that is taken is then an error."""
    ephemeral: bool = False
    """Keep the store in memory."""
    presence: PresenceRules = PresenceRules()
    tracker: TrackerLimits = TrackerLimits()
    locks: LockRules = LockRules()
    crosslink: CrosslinkSettings = CrosslinkSettings()
    car: CarSettings = CarSettings()
    agents: dict[str, AgentSettings] = {}
    chat: ChatSettings = ChatSettings()
    openclaw: OpenclawSettings = OpenclawSettings()
    x0x: X0xSettings = X0xSettings()
    demo: bool = False
    log_level: str = "info"
    crash_at: str = ""
    """``POINT[:N]``: kill this process with SIGKILL the N-th time it comes to a point (tests)."""


def ambient_agent() -> str:
    """Give the agent of CAR runs that name none: CAR's own variable, ``CAR_AGENT_ID``."""
    return os.environ.get("CAR_AGENT_ID", "").strip()
