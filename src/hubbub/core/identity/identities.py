"""Who an agent is to the outside: keys, and ids that are digests of public keys.

The daemon has one secret. Its own ML-DSA-65 key is made of it, and the keys of its machine
and of every agent that it hosts are derived from it by name (HKDF-SHA256), so an agent's id
is the same in every life of the daemon and is known before anything is stored. What is
stored is the way back, from id to name.

Source: an id is SHA-256 of ``AUTONOMI_PEER_ID_V2:`` and the raw public key, for agents and
machines alike (x0x 0.39.3, whose clients verify it).
"""

import hashlib

import msgspec
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hubbub.core.journal import Journal
from hubbub.core.ports import Settled, Store, Transaction
from hubbub.core.values import OPERATOR, AgentId, Clock, Event, Principal
from hubbub.errors import NotFound, StartError
from hubbub.telemetry import log


ID_PREFIX = b"AUTONOMI_PEER_ID_V2:"
ID_CHARACTERS = 64
SECRET_BYTES = 32
MAX_NAMES = 100_000
"""Names whose ids are remembered; later ones have an id, but are not found by it."""

OWN = OPERATOR.name
"""Name under which the daemon itself is an agent; whoever holds the operator's token is it."""

_SIGNING = b"agent"
_MACHINE = b"machine"
_KEM = b"kem"
_KEM_SEED_BYTES = 64


class Identity(msgspec.Struct, frozen=True):
    """An agent under its name here and its id everywhere."""

    name: str
    agent_id: str
    """64 hex characters."""


def id_of(public_key: bytes) -> str:
    """Give the id that belongs to a raw public key: 64 hex characters."""
    return hashlib.sha256(ID_PREFIX + public_key).hexdigest()


def topic_of(name: str) -> str:
    """Give the topic of an agent's direct messages."""
    return f"direct/{name}"


def agent_of(caller: Principal) -> str:
    """Give the name of the agent as which a caller sends and receives."""
    return caller.agent or caller.id


class Identities:
    """Knows every agent's id, and who is behind an id."""

    def __init__(self, journal: Journal, store: Store, clock: Clock, secret: str) -> None:
        """Take the daemon's secret; ``load`` adds the names that are known.

        Args:
            secret: 64 hex characters, the daemon's alone.

        Raises:
            StartError: The secret is something else.
        """
        try:
            self._secret = bytes.fromhex(secret)
        except ValueError:
            self._secret = b""
        if len(self._secret) != SECRET_BYTES:
            message = f"agent.key does not hold {SECRET_BYTES} bytes in hex; restore or remove it"
            raise StartError(message)
        self._journal = journal
        self._store = store
        self._clock = clock
        self.own = Identity(OWN, id_of(self.signing_key(OWN).public_key().public_bytes_raw()))
        machine = MLDSA65PrivateKey.from_seed_bytes(self._derive(_MACHINE, "", SECRET_BYTES))
        self.machine_id = id_of(machine.public_key().public_bytes_raw())
        """Id of this daemon's machine: 64 hex characters."""
        self._ids = {OWN: self.own.agent_id}
        self._names = {self.own.agent_id: OWN}

    async def load(self) -> None:
        """Read the known names; give ids to the holders of tokens that have none yet."""
        for name, agent_id in await self._store.rows("identity_all", root=self.own.agent_id):
            self._remember(name, agent_id)
        for row in await self._store.rows("token_all"):
            self.agent_id(row[1])

    # -- both ways -----------------------------------------------------------------------

    def agent_id(self, name: str) -> str:
        """Give the id of an agent; it can be found by that id from then on."""
        known = self._ids.get(name)
        if known is not None:
            return known
        agent_id = id_of(self.signing_key(name).public_key().public_bytes_raw())
        if len(self._ids) < MAX_NAMES:
            self._remember(name, agent_id)
            self._keep(name, agent_id)
        return agent_id

    def of_actor(self, actor: str) -> str | None:
        """Give the id of an event's ``actor``; ``None`` where that is no agent."""
        if actor == OWN:
            return self.own.agent_id
        kind, _, name = actor.partition(":")
        return self.agent_id(name) if kind == "agent" and name else None

    def name(self, agent_id: str) -> AgentId:
        """Find the agent behind an id.

        Raises:
            NotFound: Nobody here has it.
        """
        name = self._names.get(agent_id)
        if name is None:
            raise NotFound("agent", agent_id)
        return AgentId(name)

    def knows(self, name: str) -> bool:
        """Say whether an agent of this name was ever here."""
        return name in self._ids

    def heard(self, event: Event) -> None:
        """Learn the agent of an ``agents/<id>`` event, so that it can be written to."""
        self.agent_id(event.topic.partition("/")[2])

    # -- keys ----------------------------------------------------------------------------

    def signing_key(self, name: str) -> MLDSA65PrivateKey:
        """Make an agent's signing key; the daemon's own is the secret itself."""
        seed = self._secret if name == OWN else self._derive(_SIGNING, name, SECRET_BYTES)
        return MLDSA65PrivateKey.from_seed_bytes(seed)

    def kem_public_key(self, name: str) -> bytes:
        """Give the ML-KEM-768 key with which others encrypt to an agent: 1,184 bytes."""
        key = MLKEM768PrivateKey.from_seed_bytes(self._derive(_KEM, name, _KEM_SEED_BYTES))
        return key.public_key().public_bytes_raw()

    def _derive(self, purpose: bytes, name: str, length: int) -> bytes:
        info = b"hubbub/1/" + purpose + b"/" + name.encode()
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(self._secret)

    # -- memory and store ----------------------------------------------------------------

    def _remember(self, name: str, agent_id: str) -> None:
        self._ids[name] = agent_id
        self._names[agent_id] = name

    def _keep(self, name: str, agent_id: str) -> None:
        at, root = self._clock(), self.own.agent_id

        def keep(tx: Transaction) -> None:
            tx.execute("identity_put", agent_id=agent_id, name=name, root=root, at=at)

        self._journal.submit(keep, _kept)


def _kept(settled: Settled) -> None:
    """Go on without: the same id is made again when its agent is next heard."""
    if settled.error is not None:
        log.warning("identity_not_stored", error=str(settled.error))
