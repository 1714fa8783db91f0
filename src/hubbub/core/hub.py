"""The services as one frozen record: all that a dialect is given."""

import msgspec

from hubbub.core.access import Access
from hubbub.core.attached import AttachedAgents
from hubbub.core.bus import Bus
from hubbub.core.chat import Chat
from hubbub.core.direct import Direct
from hubbub.core.identity import Identities
from hubbub.core.issue_reads import IssueReads
from hubbub.core.journal import Journal
from hubbub.core.locks import Locks
from hubbub.core.operations import Operations
from hubbub.core.ports import Store
from hubbub.core.presence import Presence
from hubbub.core.runs import Runs
from hubbub.core.topics import Topics
from hubbub.core.tracker import Tracker
from hubbub.core.values import Clock, IdSource


class Hub(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a door may call."""

    bus: Bus
    journal: Journal
    store: Store
    topics: Topics
    runs: Runs
    attached: AttachedAgents
    chat: Chat
    access: Access
    identities: Identities
    direct: Direct
    presence: Presence
    operations: Operations
    tracker: Tracker
    issues: IssueReads
    locks: Locks
    clock: Clock
    ids: IdSource
