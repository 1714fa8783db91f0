// The room as it is: a snapshot, then every event after it, with no seam and no gap untold.

import { fold, roomOf } from "./fold.js";
import { isOwn } from "./own.js";

/** Events kept for a view that has not looked yet, at most. */
const FRESH = 2000;

export class LiveRoom {
  #connection;
  #onChange;
  #onTold;
  #onCaughtUp;
  #attempt = 0;
  // While catching up: how far, and how many events it was.
  #goal = null;
  // What views have read for themselves may be old: events went past them.
  #isAnew = false;

  /**
   * @param {import("../wire/connection.js").Connection} connection
   * @param {{change: () => void, told: (event: any) => void,
   *   caughtUp: (news: {count: number, gap: string | null}) => void}} listener
   */
  constructor(connection, listener) {
    this.#connection = connection;
    this.#onChange = listener.change;
    this.#onTold = listener.told;
    this.#onCaughtUp = listener.caughtUp;
    /** @type {import("./fold.js").Room | null} */
    this.room = null;
    this.fresh = [];
    /** What agents were last heard to do: ephemeral, so it is no part of the room. */
    this.heard = new Map();
    connection.on("topics.event", (told) => this.#told(told));
    connection.onState((state) => state === "open" && this.#resume(++this.#attempt));
  }

  /** Give what was told since the last time, and forget it. */
  take() {
    const events = this.fresh;
    this.fresh = [];
    return events;
  }

  /** Say, once, that views must read anew: the page was away, or could not keep up. */
  takeAnew() {
    const isAnew = this.#isAnew;
    this.#isAnew = false;
    return isAnew;
  }

  async #resume(attempt) {
    try {
      const isBack = this.room !== null;
      if (!isBack) this.room = roomOf(await this.#connection.call("room.snapshot", {}, ONCE));
      const { position: goal } = await this.#connection.call("system.ping", {}, ONCE);
      const after = this.room.position;
      this.#goal = isBack ? { seq: goal.seq, count: 0 } : null;
      const resumed = await this.#connection.call("topics.subscribe", { topics: ["*"], after }, ONCE);
      if (attempt !== this.#attempt) return;
      if (!resumed.recovered) await this.#anew(resumed.reason);
      this.#reached();
      this.#onChange();
    } catch (error) {
      if (attempt !== this.#attempt || error.code === "disconnected") return;
      throw error;
    }
  }

  /** What was missed cannot be had: say so, and look at the room as it is now. */
  async #anew(reason) {
    this.#goal = null;
    this.room = roomOf(await this.#connection.call("room.snapshot", {}, ONCE));
    this.#isAnew = true;
    this.#onCaughtUp({ count: 0, gap: reason });
  }

  #told({ event }) {
    if (!this.room) return;
    // After a snapshot taken anew, the replay may begin before it.
    if (event.seq !== 0 && event.seq <= this.room.position.seq) return;
    this.#onTold(event);
    if (event.seq !== 0) {
      fold(this.room, event);
      if (this.#goal) this.#goal.count += 1;
    } else if (event.kind === "agent.heartbeat" && isOwn(event)) this.heard.set(event.data.agent, event.data);
    this.fresh.push(event);
    if (this.fresh.length > FRESH) {
      this.fresh.splice(0, this.fresh.length - FRESH);
      this.#isAnew = true;
    }
    this.#reached();
    this.#onChange();
  }

  #reached() {
    if (!this.#goal || this.room.position.seq < this.#goal.seq) return;
    // Ephemeral events came to nobody meanwhile.
    this.#isAnew = true;
    this.#onCaughtUp({ count: this.#goal.count, gap: null });
    this.#goal = null;
  }
}

const ONCE = { resend: false };
