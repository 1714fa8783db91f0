// What one event changes in the room. Pure: the same events give the same room, live or past.

import { isOwn } from "./own.js";

/**
 * @typedef {object} Room The room at one position; each map is by the key of its rows.
 * @property {{epoch: string, seq: number}} position
 * @property {number} at Unix milliseconds of the event at that position.
 * @property {Map<string, any>} agents
 * @property {Map<string, any>} runs
 * @property {Map<string, any>} sessions
 * @property {Map<number, any>} issues
 * @property {Map<number, any>} locks
 * @property {Map<number, any>} reservations
 * @property {Map<number, any>} waits
 */

const KEYS = {
  agents: (row) => row.agent,
  runs: (row) => row.run_id,
  sessions: (row) => row.session,
  issues: (row) => row.id,
  locks: (row) => row.issue_id,
  reservations: (row) => row.id,
  waits: (row) => row.ticket,
};

const NEWEST_FIRST = ["runs", "sessions", "issues"];

/** Rows that a room has of these at most, the newest, as `room.snapshot` gives them. */
const MOST = 1000;

/**
 * Make a room of a snapshot.
 *
 * @returns {Room}
 */
export function roomOf(snapshot) {
  const room = { position: snapshot.position, at: snapshot.at };
  for (const [name, key] of Object.entries(KEYS)) {
    const rows = snapshot[name] ?? [];
    // Lists come newest first; maps are kept oldest first, so that what is new goes to the end.
    const inOrder = NEWEST_FIRST.includes(name) ? [...rows].reverse() : rows;
    room[name] = new Map(inOrder.map((row) => [key(row), row]));
  }
  return room;
}

/** Change a room by an event that follows its position. Events without a `seq` change nothing. */
export function fold(room, event) {
  if (event.seq === 0) return;
  // Under other topics anybody may publish any kind.
  if (isOwn(event)) change(room, event);
  room.position = { ...room.position, seq: event.seq };
  room.at = event.at;
}

function change(room, event) {
  CHANGES[event.kind]?.(room, event.data);
  if (event.data?.session?.session) newest(room.sessions, event.data.session.session, event.data.session);
}

const CHANGES = {
  "agent.connected": agent,
  "agent.disconnected": agent,
  "agent.status": agent,
  "agent.forgotten": (room, data) => room.agents.delete(data.agent),
  "run.started": (room, data) => newest(room.runs, data.run_id, { ...NEW_RUN, ...data }),
  "run.turn": (room, data) => run(room, data.run_id, { turn_count: data.index + 1, trace_bytes: data.trace_bytes }),
  "run.ended": (room, data) =>
    run(room, data.run_id, {
      status: data.status,
      termination: data.termination,
      ended_at: data.ended_at,
      turn_count: data.turn_count,
      trace_bytes: data.trace_bytes,
    }),
  "chat.session": (room, data) => {
    if (data.session === null) room.sessions.delete(data.session_key);
  },
  "issue.changed": (room, data) => {
    if (data.issue) room.issues.set(data.issue.id, data.issue);
    else room.issues.delete(data.issue_id);
  },
  "lock.claimed": hold,
  "lock.stolen": hold,
  "lock.renewed": hold,
  "lock.released": (room, data) => room.locks.delete(data.issue_id),
  "lock.lost": (room, data) => room.locks.delete(data.issue_id),
  "reservation.claimed": (room, data) => room.reservations.set(data.id, data),
  "reservation.renewed": (room, data) => room.reservations.set(data.id, data),
  "reservation.released": (room, data) => room.reservations.delete(data.id),
  "reservation.lost": (room, data) => room.reservations.delete(data.id),
  "wait.begun": (room, data) => room.waits.set(data.ticket, data),
  "wait.ended": (room, data) => room.waits.delete(data.ticket),
};

/** A run of which nothing but its start is known; events leave out what is null. */
const NEW_RUN = {
  outcome_description: null, session_key: null, grace_ms: null, status: "in_progress",
  ended_at: null, turn_count: 0, trace_bytes: 0,
};

/** Put a row behind all others, and drop the oldest where there are too many. */
function newest(rows, key, row) {
  rows.delete(key);
  rows.set(key, row);
  if (rows.size > MOST) rows.delete(rows.keys().next().value);
}

function agent(room, { agent: name, status, doors }) {
  room.agents.set(name, { agent: name, status, doors });
}

function run(room, id, changes) {
  const known = room.runs.get(id);
  if (known) room.runs.set(id, { ...known, ...changes });
}

function hold(room, data) {
  room.locks.set(data.issue_id, {
    issue_id: data.issue_id,
    holder: data.agent,
    fence: data.fence,
    claimed_at: data.claimed_at,
    expires_at: data.expires_at,
  });
}
