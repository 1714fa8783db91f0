// What each agent is doing, kept in step with the room event by event.

import { nameOf } from "../../room/doors.js";
import { isOwn } from "../../room/own.js";

/** Characters of a streamed answer that are kept: a card shows its end. */
const TAIL = 400;

/**
 * @typedef {object} Doing
 * @property {any[]} runs open runs, the newest last.
 * @property {any[]} locks
 * @property {any[]} waits
 * @property {any[]} reservations
 * @property {{session: string, text: string} | null} speech the chat turn that it streams.
 * @property {any | null} issue that its last heartbeat named.
 * @property {import("./river.js").Entry | null} last what it did last.
 */

export class Activity {
  #open = new Map(); // run id → agent
  #speech = new Map(); // run id → {agent, session, text}
  #last = new Map(); // agent → entry
  #since = new Map(); // agent → Unix milliseconds of its oldest connection, as far as seen

  /** @param {import("../../room/fold.js").Room} room */
  reset(room) {
    this.#open.clear();
    this.#speech.clear();
    this.#last.clear();
    this.#since.clear();
    for (const run of room.runs.values()) if (run.status === "in_progress") this.#open.set(run.run_id, run.agent);
  }

  /**
   * Take over what an event says.
   *
   * @param {any} event
   * @param {import("./river.js").Entry} entry the same, as it is kept.
   */
  note(event, entry) {
    if (entry.agent !== null && event.kind !== "agent.heartbeat") this.#last.set(entry.agent, entry);
    if (isOwn(event)) NOTES[event.kind]?.(this, event.data, event);
  }

  /** Remember what came before, the newest first, for agents of which nothing newer is known. */
  before(entry) {
    const { agent, event } = entry;
    if (agent === null) return;
    if (!this.#last.has(agent)) this.#last.set(agent, entry);
    if (isOwn(event) && event.kind === "agent.connected" && event.data?.connections === 1 && !this.#since.has(agent)) this.#since.set(agent, event.at);
  }

  opened(run) {
    this.#open.set(run.run_id, run.agent);
  }

  ended(id) {
    this.#open.delete(id);
    this.#speech.delete(id);
  }

  spoke(data) {
    const agent = this.#open.get(data.run_id) ?? ofSession(data.session_key);
    this.#speech.set(data.run_id, { agent, session: data.session_key, text: String(data.text ?? "").slice(-TAIL) });
  }

  connected(agent, at) {
    if (!this.#since.has(agent)) this.#since.set(agent, at);
  }

  left(agent) {
    this.#since.delete(agent);
  }

  since(agent) {
    return this.#since.get(agent) ?? null;
  }

  /**
   * Give what all agents of a room are doing.
   *
   * @param {import("../../room/fold.js").Room} room
   * @param {Map<string, any> | null} heard last heartbeats; `null` in the past.
   * @returns {(agent: string) => Doing}
   */
  of(room, heard) {
    const runs = Map.groupBy([...this.#open.keys()].map((id) => room.runs.get(id)).filter(Boolean), (run) => run.agent);
    const speech = new Map([...this.#speech.values()].map((each) => [each.agent, each]));
    const locks = Map.groupBy(room.locks.values(), (lock) => lock.holder);
    const waits = Map.groupBy(room.waits.values(), (wait) => wait.agent);
    const reservations = Map.groupBy(room.reservations.values(), (each) => each.agent);
    return (agent) => ({
      runs: runs.get(agent) ?? [],
      locks: locks.get(agent) ?? [],
      waits: waits.get(agent) ?? [],
      reservations: reservations.get(agent) ?? [],
      speech: speech.get(agent) ?? null,
      issue: issueOf(room, heard?.get(agent)?.active_issue_id),
      last: this.#last.get(agent) ?? null,
    });
  }

  /** How many runs are open, and how many answers are being streamed. */
  get counts() {
    return { runs: this.#open.size, speech: this.#speech.size };
  }
}

const ended = (activity, data) => activity.ended(data.run_id);

const NOTES = {
  "run.started": (activity, data) => activity.opened(data),
  "run.ended": ended,
  "chat.delta": (activity, data) => activity.spoke(data),
  "chat.final": ended,
  "chat.error": ended,
  "chat.aborted": ended,
  "agent.connected": (activity, data, event) => activity.connected(data.agent, event.at),
  "agent.disconnected": (activity, data) => data.connections || activity.left(data.agent),
};

function issueOf(room, number) {
  if (!number) return null;
  return room.issues.get(number) ?? { id: number, title: "" };
}

/** Session keys of chats are `agent:NAME:REST`. */
function ofSession(key) {
  return nameOf(String(key)).split(":")[0];
}
