"""All namespaces.

Written by `python -m scripts.write_client`.
"""

from hubbub.client.calls import Calls, Loop
from hubbub.client.generated.agents import AgentsMethods
from hubbub.client.generated.blocking_agents import BlockingAgentsMethods
from hubbub.client.generated.blocking_chat import BlockingChatMethods
from hubbub.client.generated.blocking_direct import BlockingDirectMethods
from hubbub.client.generated.blocking_issues import BlockingIssuesMethods
from hubbub.client.generated.blocking_journal import BlockingJournalMethods
from hubbub.client.generated.blocking_locks import BlockingLocksMethods
from hubbub.client.generated.blocking_presence import BlockingPresenceMethods
from hubbub.client.generated.blocking_reservations import BlockingReservationsMethods
from hubbub.client.generated.blocking_room import BlockingRoomMethods
from hubbub.client.generated.blocking_runs import BlockingRunsMethods
from hubbub.client.generated.blocking_system import BlockingSystemMethods
from hubbub.client.generated.blocking_tokens import BlockingTokensMethods
from hubbub.client.generated.blocking_topics import BlockingTopicsMethods
from hubbub.client.generated.chat import ChatMethods
from hubbub.client.generated.direct import DirectMethods
from hubbub.client.generated.issues import IssuesMethods
from hubbub.client.generated.journal import JournalMethods
from hubbub.client.generated.locks import LocksMethods
from hubbub.client.generated.presence import PresenceMethods
from hubbub.client.generated.reservations import ReservationsMethods
from hubbub.client.generated.room import RoomMethods
from hubbub.client.generated.runs import RunsMethods
from hubbub.client.generated.system import SystemMethods
from hubbub.client.generated.tokens import TokensMethods
from hubbub.client.generated.topics import TopicsMethods


class Spaces:
    """The methods of the daemon, by namespace."""

    def __init__(self, calls: Calls) -> None:
        """Call through what all have in common."""
        self.agents = AgentsMethods(calls)
        self.chat = ChatMethods(calls)
        self.direct = DirectMethods(calls)
        self.issues = IssuesMethods(calls)
        self.journal = JournalMethods(calls)
        self.locks = LocksMethods(calls)
        self.presence = PresenceMethods(calls)
        self.reservations = ReservationsMethods(calls)
        self.room = RoomMethods(calls)
        self.runs = RunsMethods(calls)
        self.system = SystemMethods(calls)
        self.tokens = TokensMethods(calls)
        self.topics = TopicsMethods(calls)


class BlockingSpaces:
    """The same, for callers without an event loop."""

    def __init__(self, loop: Loop, twin: Spaces) -> None:
        """Call what has an event loop, on a loop in a thread."""
        self.agents = BlockingAgentsMethods(loop, twin.agents)
        self.chat = BlockingChatMethods(loop, twin.chat)
        self.direct = BlockingDirectMethods(loop, twin.direct)
        self.issues = BlockingIssuesMethods(loop, twin.issues)
        self.journal = BlockingJournalMethods(loop, twin.journal)
        self.locks = BlockingLocksMethods(loop, twin.locks)
        self.presence = BlockingPresenceMethods(loop, twin.presence)
        self.reservations = BlockingReservationsMethods(loop, twin.reservations)
        self.room = BlockingRoomMethods(loop, twin.room)
        self.runs = BlockingRunsMethods(loop, twin.runs)
        self.system = BlockingSystemMethods(loop, twin.system)
        self.tokens = BlockingTokensMethods(loop, twin.tokens)
        self.topics = BlockingTopicsMethods(loop, twin.topics)
