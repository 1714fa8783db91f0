// One run as it is read and followed: its turns with their times, and what is being said now.

import { isOwn } from "../../room/own.js";
import { ENDS } from "../../room/turns.js";

/** Turns that are kept at most; the daemon keeps no more either. */
const MOST_TURNS = 2000;
const PAGE = 500;
/** Events kept while the trace is being read. */
const MOST_HELD = 5000;

export class Trace {
  #app;
  #changed;
  #asked = 0;
  #position = null;
  #held = null;

  /**
   * @param {import("../../main.js").App} app
   * @param {string} runId
   * @param {() => void} changed called when something has been read.
   */
  constructor(app, runId, changed) {
    this.#app = app;
    this.#changed = changed;
    this.runId = runId;
    /** @type {any} the run; `null` until it has been read. */
    this.run = null;
    /** @type {{turn: any, at: number | null}[]} */
    this.turns = [];
    /** What a running chat turn has said so far. */
    this.text = "";
    /** Tools that work now, by their call's id. */
    this.tools = new Map();
    /** @type {Error | null} */
    this.error = null;
  }

  /**
   * Read it anew.
   *
   * @param {{epoch: string, seq: number} | null} at a past position; `null`: as it is.
   */
  async load(at) {
    const asked = (this.#asked += 1);
    this.#held = [];
    try {
      const past = at ? { at } : {};
      const found = await this.#app.call("runs.trace", { run_id: this.runId, ...past });
      const times = await this.#times(found.position, found.turns.length);
      const said = at ? "" : await this.#saidSoFar(found.run);
      if (asked !== this.#asked) return;
      this.error = null;
      this.run = found.run;
      this.turns = found.turns.map((turn, index) => ({ turn, at: times.get(turn.index ?? index) ?? null }));
      this.#position = found.position;
      this.text = said;
      this.tools = new Map();
      const held = this.#held;
      this.#held = null;
      for (const event of held) this.#follow(event);
    } catch (error) {
      if (asked !== this.#asked) return;
      this.error = error;
      this.#held = null;
    }
    this.#changed();
  }

  /** Forget answers that have not come yet. */
  close() {
    this.#asked += 1;
  }

  /** Take an event; gives whether it was about this run. */
  take(event) {
    if (event.data?.run_id !== this.runId || !FOLLOWED.has(event.kind)) return false;
    // Anybody may publish such an event under another topic.
    if (!isOwn(event)) return false;
    if (this.#held) {
      if (this.#held.length < MOST_HELD) this.#held.push(event);
    } else if (this.run) this.#follow(event);
    return true;
  }

  #follow(event) {
    if (event.seq !== 0 && event.seq <= this.#position.seq) {
      // What the run says ends with its turn, whichever way the turn was read.
      if (ENDS.has(event.kind)) this.#silence();
      return;
    }
    const { data, kind } = event;
    if (kind === "run.turn") this.#addTurn(event);
    else if (kind === "run.ended") {
      this.run = { ...this.run, status: data.status, termination: data.termination, ended_at: data.ended_at, turn_count: data.turn_count };
      this.#silence();
    } else if (ENDS.has(kind)) this.#silence();
    else if (this.run.status !== "in_progress") return;
    // The whole text so far comes with each; a late one is only shorter.
    else if (kind === "chat.delta" && data.text.length >= this.text.length) this.text = data.text;
    else if (kind === "chat.tool") this.#work(data.tool, event.at);
  }

  #addTurn({ data, at }) {
    if (data.index !== this.turns.length || this.turns.length >= MOST_TURNS) return;
    this.turns.push({ turn: data.turn, at });
    this.run = { ...this.run, turn_count: this.turns.length };
  }

  #work(tool, at) {
    if (!tool || typeof tool !== "object") return;
    const id = String(tool.toolCallId ?? tool.name ?? "tool");
    if (tool.phase === "result") this.tools.delete(id);
    else if (this.tools.size < 50 || this.tools.has(id)) {
      this.tools.set(id, { ...this.tools.get(id), since: at, ...tool });
    }
  }

  #silence() {
    this.text = "";
    this.tools = new Map();
  }

  /** When each turn was recorded: the journal knows. */
  async #times(position, count) {
    const times = new Map();
    let after = { epoch: position.epoch, seq: 0 };
    for (let more = count > 0; more; ) {
      const page = await this.#app.call("journal.read", { topics: [`runs/${this.runId}`], after, limit: PAGE });
      for (const event of page.events) {
        if (event.kind === "run.turn") times.set(event.data.index, event.at);
      }
      after = page.position;
      more = page.more && after.seq < position.seq;
    }
    return times;
  }

  async #saidSoFar(run) {
    if (run.status !== "in_progress" || !run.session_key) return "";
    const found = await this.#app.call("chat.history", { session: run.session_key, limit: 1 });
    return found.running.find((each) => each.run_id === this.runId)?.text ?? "";
  }
}

const FOLLOWED = new Set(["run.turn", "run.ended", "chat.delta", "chat.tool", ...ENDS]);
