"""The services as one frozen record: all that a dialect is given."""

import msgspec

from hubbub.core.absences import Absences
from hubbub.core.bus import Bus
from hubbub.core.chat.attached import AttachedAgents
from hubbub.core.chat.service import Chat
from hubbub.core.direct import Direct
from hubbub.core.identity.access import Access
from hubbub.core.identity.identities import Identities
from hubbub.core.identity.presence import Presence
from hubbub.core.journal import Journal
from hubbub.core.operations import Operations
from hubbub.core.past.service import Past
from hubbub.core.ports import Store
from hubbub.core.runs.service import Runs
from hubbub.core.standing import Standing
from hubbub.core.topics import Topics
from hubbub.core.tracker.issue_reads import IssueReads
from hubbub.core.tracker.locks import Locks
from hubbub.core.tracker.reservations import Reservations
from hubbub.core.tracker.service import Tracker
from hubbub.core.tracker.waiting import Waiting
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
    reservations: Reservations
    waiting: Waiting
    standing: Standing
    """The subscriptions of the x0x door."""
    absences: Absences
    past: Past
    clock: Clock
    ids: IdSource
