"""Settings: one frozen struct per area, and where each value came from.

The order is flag, then environment (``HUBBUB_…``, nested by ``__``), then ``config.toml``, then
default. Every field of every struct is a setting; its docstring gives meaning and unit and is
what ``docs/settings.md`` is made of.
"""

import os
from pathlib import Path

import msgspec
import platformdirs

from hubbub.core.absences import AbsenceRules
from hubbub.core.chat.agents import AgentSettings, ChatSettings
from hubbub.core.identity.presence import PresenceRules
from hubbub.core.limits import Limits, StoreLimits
from hubbub.core.retention import Rule
from hubbub.core.topics import RESERVED
from hubbub.core.tracker.issues import TrackerLimits
from hubbub.core.tracker.locks import LockRules
from hubbub.core.tracker.reservations import ReservationRules
from hubbub.core.tracker.waiting import WaitRules
from hubbub.core.values import is_loopback
from hubbub.dialects.car.settings import CarSettings
from hubbub.dialects.crosslink.settings import CrosslinkSettings
from hubbub.dialects.openclaw.settings import OpenclawSettings
from hubbub.dialects.rpc.settings import RpcSettings
from hubbub.dialects.x0x.settings import X0xSettings


LISTENERS = ("hubbub", "x0x", "crosslink", "car", "openclaw")
"""Names of all listeners; the first is hubbub's own."""
DAY_MS = 24 * 3600 * 1000


class TlsFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[listen.tls.NAME]``: TLS of one listener, instead of `tls_cert` and `tls_key`.

    Both empty: this listener speaks plain HTTP, whatever the others do.
    """

    cert: str = ""
    """File of the certificate, and of the chain that follows it, in PEM."""
    key: str = ""
    """File of its key, in PEM, without a passphrase."""

    def __post_init__(self) -> None:
        """Check that there are both or neither.

        Raises:
            ValueError: There is one alone.
        """
        if bool(self.cert) != bool(self.key):
            message = "a certificate and its key belong together: give both, or neither"
            raise ValueError(message)


class Listen(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[listen]``.

    An address is `HOST:PORT`; port 0 takes a free one, and an empty text switches the listener
    off.
    """

    hubbub: str = "127.0.0.1:7070"
    """Address of hubbub's own listener."""
    x0x: str = "127.0.0.1:12700"
    """Address of the x0x listener."""
    crosslink: str = "127.0.0.1:3100"
    """Address of the crosslink listener."""
    car: str = "127.0.0.1:9100"
    """Address of the CAR listener."""
    openclaw: str = "127.0.0.1:18789"
    """Address of the OpenClaw listener."""
    only: list[str] = []
    """Open these listeners and hubbub's own alone; empty: all."""
    hosts: list[str] = []
    """Names besides loopback's under which a listener may be called (the `Host` header)."""
    origins: list[str] = []
    """Origins of web pages that may connect, as `https://example.org`."""
    insecure: bool = False
    """Allow addresses that other machines can reach, without TLS."""
    tls_cert: str = ""
    """File of the certificate with which all listeners speak TLS, in PEM, with the chain that
    follows it; empty: plain HTTP."""
    tls_key: str = ""
    """File of its key, in PEM, without a passphrase."""
    tls: dict[str, TlsFiles] = {}
    """Listeners with a certificate of their own, or with none."""

    def __post_init__(self) -> None:
        """Check names and addresses.

        Raises:
            ValueError: An address cannot be, or is not loopback's.
        """
        for name in self.only:
            if name not in LISTENERS:
                message = f"only: there is no listener {name!r}; there are {', '.join(LISTENERS)}"
                raise ValueError(message)
        if bool(self.tls_cert) != bool(self.tls_key):
            message = "tls_cert and tls_key belong together: give both, or neither"
            raise ValueError(message)
        for name in self.tls:
            if name not in LISTENERS:
                message = f"tls.{name}: there is no such listener; there are {', '.join(LISTENERS)}"
                raise ValueError(message)
        for name in LISTENERS:
            address = self.address(name)
            if address is None or self.insecure or is_loopback(address[0]) or self.files(name):
                continue
            message = (
                f"{name} = {getattr(self, name)!r} can be reached from other machines, and there "
                "is no TLS; choose 127.0.0.1, give --tls-cert and --tls-key, or allow it with "
                "--insecure-listen"
            )
            raise ValueError(message)

    def files(self, name: str) -> TlsFiles | None:
        """Give the certificate and key of a listener; ``None`` where it speaks plain HTTP."""
        files = self.tls.get(name) or TlsFiles(cert=self.tls_cert, key=self.tls_key)
        return files if files.cert else None

    def address(self, name: str) -> tuple[str, int] | None:
        """Give host and port of a listener; ``None`` where it is off.

        Raises:
            ValueError: This is not ``HOST:PORT``.
        """
        text: str = getattr(self, name)
        if not text or (self.only and name not in ("hubbub", *self.only)):
            return None
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not (colon and host and port.isascii() and port.isdigit()) or int(port) > 65_535:  # noqa: PLR2004 TCP's highest port
            message = f"{name} = {text!r} must be HOST:PORT, as 127.0.0.1:0"
            raise ValueError(message)
        return host, int(port)


class TopicRetention(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[store.topics."NAME"]``; NAME is a topic, or `prefix/*`."""

    retention_days: float = 7.0
    """Days for which events of these topics are kept; 0: for ever."""
    retention_bytes: int = 1024**3
    """Bytes of event data of these topics that are kept; 0: any number."""


class StoreSettings(StoreLimits, frozen=True, kw_only=True):
    """The section ``[store]``."""

    retention_days: float = 7.0
    """Days for which events of topics that clients publish on are kept; 0: for ever."""
    retention_bytes: int = 1024**3
    """Bytes of event data of such topics that are kept; 0: any number."""
    topics: dict[str, TopicRetention] = msgspec.field(default_factory=dict)
    """Topics with a retention of their own."""
    answers_days: float = 7.0
    """Days for which the answer under an idempotency key is kept: so long a retry is known."""
    retention_interval_s: float = 60.0
    """Seconds between two looks at what retention may cut."""

    def __post_init__(self) -> None:
        """Check what must not be 0, and whose topics these are.

        Raises:
            ValueError: A value cannot be.
        """
        for name in ("answers_days", "retention_interval_s", "batch_units", "readers"):
            if not getattr(self, name):
                message = f"{name} = 0 must be more than 0"
                raise ValueError(message)
        for name in self.topics:
            if f"{name}/".startswith(RESERVED) or name == "*":
                message = f'topics."{name}": only topics that clients publish on have a retention'
                raise ValueError(message)

    @property
    def answers_ms(self) -> int:
        """Milliseconds for which answers under idempotency keys are kept."""
        return int(self.answers_days * DAY_MS)

    def rules(self) -> list[Rule]:
        """Give what retention goes by."""
        own = [self._rule(name, topic) for name, topic in self.topics.items()]
        return [self._rule("*", self), *own]

    @staticmethod
    def _rule(pattern: str, kept: "TopicRetention | StoreSettings") -> Rule:
        keep_ms = int(kept.retention_days * DAY_MS)
        return Rule(pattern=pattern, keep_ms=keep_ms, keep_bytes=kept.retention_bytes)


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[log]``."""

    level: str = "info"
    """Least severity that is logged: debug, info, warning or error."""
    json: bool = False
    """One JSON object a line instead of text."""

    def __post_init__(self) -> None:
        """Check the level.

        Raises:
            ValueError: There is no such level.
        """
        if self.level not in ("debug", "info", "warning", "error"):
            message = f"level = {self.level!r} must be debug, info, warning or error"
            raise ValueError(message)


class Dialects(msgspec.Struct, frozen=True, kw_only=True):
    """The sections ``[dialects.NAME]``: limits and habits of each door."""

    hubbub: RpcSettings = RpcSettings()
    x0x: X0xSettings = X0xSettings()
    crosslink: CrosslinkSettings = CrosslinkSettings()
    car: CarSettings = CarSettings()
    openclaw: OpenclawSettings = OpenclawSettings()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of one daemon."""

    data_dir: Path = msgspec.field(
        default_factory=lambda: Path(platformdirs.user_data_dir("hubbub"))
    )
    """Folder of the store and the files beside it; by flag or variable only."""
    ephemeral: bool = False
    """Keep the store in memory; nothing is left when the daemon stops."""
    demo: bool = False
    """As `ephemeral`, and two agents that talk."""
    crash_at: str = ""
    """`POINT[:N]`: kill this process the N-th time it comes to a point; for tests."""
    listen: Listen = Listen()
    agents: dict[str, AgentSettings] = {}
    store: StoreSettings = StoreSettings()
    limits: Limits = Limits()
    dialects: Dialects = Dialects()
    chat: ChatSettings = ChatSettings()
    tracker: TrackerLimits = TrackerLimits()
    locks: LockRules = LockRules()
    reservations: ReservationRules = ReservationRules()
    waits: WaitRules = WaitRules()
    presence: PresenceRules = PresenceRules()
    absences: AbsenceRules = AbsenceRules()
    log: LogSettings = LogSettings()

    explicit: frozenset[str] = frozenset()
    """(not a setting) Listeners whose address was asked for."""


DERIVED = frozenset(("explicit",))
"""Fields of ``Settings`` that are no settings."""


def ambient_agent() -> str:
    """Give the agent of CAR runs that name none: CAR's own variable, ``CAR_AGENT_ID``."""
    return os.environ.get("CAR_AGENT_ID", "").strip()
