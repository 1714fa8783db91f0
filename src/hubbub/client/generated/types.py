"""Every type of the methods.

Written by `python -m scripts.write_client`.
"""

from hubbub.client.generated.agents_types import Attached, Empty, HandedTurn, Identity
from hubbub.client.generated.chat_types import (
    AbortedRuns,
    Attachment,
    Deleted,
    Ended,
    Heard,
    HistoryPage,
    Imported,
    Injected,
    RunningTurn,
    SentMessage,
    SessionList,
)
from hubbub.client.generated.direct_types import SentAt
from hubbub.client.generated.issues_types import (
    Comment,
    Done,
    Issue,
    IssueDetail,
    Issues,
    ListedIssue,
    ListedIssues,
)
from hubbub.client.generated.journal_types import Activity, EffectList, FoundEvent, Page, Point
from hubbub.client.generated.locks_types import LockList, Release
from hubbub.client.generated.reservations_types import Freed, ReservationList
from hubbub.client.generated.room_types import IssueRow, Room, RoomAgent, RoomWait
from hubbub.client.generated.runs_types import (
    Evidence,
    Outcome,
    OutcomeMetrics,
    Recorded,
    RunList,
    Trace,
    Turn,
)
from hubbub.client.generated.shared_types import (
    AgentList,
    AgentPresence,
    Grant,
    Lock,
    Reservation,
    Run,
    SessionInfo,
)
from hubbub.client.generated.system_types import (
    BusHealth,
    ConnectionHealth,
    Health,
    Latency,
    LimitUse,
    ListenerHealth,
    Pong,
    Status,
    StoreHealth,
)
from hubbub.client.generated.tokens_types import (
    BrowserToken,
    CreatedToken,
    Revoked,
    Ticket,
    TokenInfo,
    Tokens,
)
from hubbub.client.generated.topics_types import PublishedAt, TopicList, TopicSummary


__all__ = [
    "AbortedRuns",
    "Activity",
    "AgentList",
    "AgentPresence",
    "Attached",
    "Attachment",
    "BrowserToken",
    "BusHealth",
    "Comment",
    "ConnectionHealth",
    "CreatedToken",
    "Deleted",
    "Done",
    "EffectList",
    "Empty",
    "Ended",
    "Evidence",
    "FoundEvent",
    "Freed",
    "Grant",
    "HandedTurn",
    "Health",
    "Heard",
    "HistoryPage",
    "Identity",
    "Imported",
    "Injected",
    "Issue",
    "IssueDetail",
    "IssueRow",
    "Issues",
    "Latency",
    "LimitUse",
    "ListedIssue",
    "ListedIssues",
    "ListenerHealth",
    "Lock",
    "LockList",
    "Outcome",
    "OutcomeMetrics",
    "Page",
    "Point",
    "Pong",
    "PublishedAt",
    "Recorded",
    "Release",
    "Reservation",
    "ReservationList",
    "Revoked",
    "Room",
    "RoomAgent",
    "RoomWait",
    "Run",
    "RunList",
    "RunningTurn",
    "SentAt",
    "SentMessage",
    "SessionInfo",
    "SessionList",
    "Status",
    "StoreHealth",
    "Ticket",
    "TokenInfo",
    "Tokens",
    "TopicList",
    "TopicSummary",
    "Trace",
    "Turn",
]
