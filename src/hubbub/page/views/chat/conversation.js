// One conversation as it is read and followed. No message stands in it twice: what is stored is
// known by its run and its place in the journal, what is only sent by the run's id alone.

import { ENDS } from "../../room/turns.js";
import { newKey } from "../../wire/key.js";

const SOME = 200;
/** The daemon gives no more. */
const ALL = 1000;
const MOST_HELD = 5000;
/** Ended runs that are remembered, so that a late piece of their text is known as late. */
const MOST_ENDED = 500;

const STOPPED = "A word that stops: what was being answered has been stopped.";
const NOT_SENT = "A word that stops, and nothing was being answered: it was not sent.";

/**
 * @typedef {object} Entry One stored message.
 * @property {string | null} runId whose question or answer it is.
 * @property {any} message
 *
 * @typedef {object} Turn One turn that has not ended.
 * @property {string} text what it has said so far.
 * @property {boolean} started `false`: it waits for the turns before it.
 * @property {Map<string, any>} tools what its tools do.
 *
 * @typedef {object} Pending A message that is not stored yet, as far as the page knows.
 * @property {any} message in the shape of stored ones.
 * @property {object} params with which it was sent.
 * @property {Error | null} error why it was refused.
 */

export class Conversation {
  #app;
  #changed;
  #asked = 0;
  #position = null;
  #held = null;
  #ended = new Set();
  #limit = SOME;
  #isStale = false;
  #at = null;

  /**
   * @param {import("../../main.js").App} app
   * @param {string} session key, in any spelling.
   * @param {() => void} changed called when something has been read or sent.
   */
  constructor(app, session, changed) {
    this.#app = app;
    this.#changed = changed;
    this.session = session;
    this.isRead = false;
    this.exists = false;
    /** @type {Error | null} */
    this.error = null;
    /** @type {Entry[]} oldest first; an answer stands below its question. */
    this.entries = [];
    /** @type {Map<string, Turn>} by run, oldest first. */
    this.turns = new Map();
    /** @type {Map<string, Pending>} by run. */
    this.pending = new Map();
  }

  /** There may be older messages than those that were read. */
  get hasEarlier() {
    return this.#limit === SOME && this.entries.length >= SOME;
  }

  /**
   * Read it anew.
   *
   * @param {{epoch: string, seq: number} | null} at a past position; `null`: as it is.
   */
  async load(at) {
    const asked = (this.#asked += 1);
    this.#at = at;
    this.#held ??= [];
    this.#isStale = false;
    try {
      const past = at ? { at } : {};
      const found = await this.#app.call("chat.history", { session: this.session, limit: this.#limit, ...past });
      if (asked !== this.#asked) return;
      this.#read(found);
    } catch (error) {
      if (asked !== this.#asked) return;
      this.error = error;
      this.#held = null;
    }
    this.#changed();
  }

  #read(found) {
    this.error = null;
    this.isRead = true;
    this.exists = found.session_id !== null;
    this.session = found.session;
    this.#position = found.position;
    this.entries = found.messages.map((message, index) => ({ runId: found.run_ids[index], message }));
    const before = this.turns;
    this.turns = new Map();
    for (const run of found.running) {
      if (this.#hasAnswer(run.run_id)) continue;
      const known = before.get(run.run_id);
      this.turns.set(run.run_id, { text: run.text ?? "", started: run.started, tools: known?.tools ?? new Map() });
    }
    for (const { runId } of this.entries) this.pending.delete(runId);
    const held = this.#held ?? [];
    this.#held = null;
    for (const event of held) this.#follow(event);
  }

  loadAll(at) {
    this.#limit = ALL;
    return this.load(at);
  }

  /** Forget answers that have not come yet. */
  close() {
    this.#asked += 1;
  }

  /** Take an event; gives whether it changed this conversation. */
  take(event) {
    // By its topic: anybody may publish such an event under another one.
    if (event.topic !== `chat/${this.session}` || !FOLLOW.has(event.kind)) return false;
    if (this.#held) {
      if (this.#held.length < MOST_HELD) this.#held.push(event);
    } else if (this.isRead) this.#follow(event);
    // What an event does not say is read; once, for all that came in this frame.
    if (this.#isStale && !this.#held) this.load(this.#at);
    return true;
  }

  #follow(event) {
    const { data, kind } = event;
    if (ENDS.has(kind)) this.#end(data.run_id);
    // What was read has it already.
    if (event.seq !== 0 && event.seq <= this.#position.seq) return;
    FOLLOW.get(kind).call(this, data, event);
  }

  #end(runId) {
    this.turns.delete(runId);
    this.#ended.add(runId);
    if (this.#ended.size > MOST_ENDED) this.#ended.delete(this.#ended.values().next().value);
  }

  accepted({ run_id: runId, message }) {
    this.exists = true;
    this.pending.delete(runId);
    if (this.entries.some((entry) => entry.runId === runId)) return;
    this.entries.push({ runId, message });
    if (!this.#ended.has(runId)) this.turns.set(runId, { text: "", started: false, tools: new Map() });
  }

  started({ run_id: runId }) {
    const turn = this.turns.get(runId);
    if (turn) turn.started = true;
  }

  said({ run_id: runId, text }) {
    if (this.#ended.has(runId) || this.#hasAnswer(runId)) return;
    const turn = this.turns.get(runId) ?? { text: "", started: true, tools: new Map() };
    turn.started = true;
    // Each brings the whole text so far; one that comes late is only shorter.
    if (text.length >= turn.text.length) turn.text = text;
    this.turns.set(runId, turn);
  }

  worked({ run_id: runId, tool }, { at }) {
    const turn = this.turns.get(runId);
    if (!turn || !tool || typeof tool !== "object") return;
    const id = String(tool.toolCallId ?? tool.name ?? "tool");
    if (turn.tools.size < 100 || turn.tools.has(id)) {
      turn.tools.set(id, { since: at, ...turn.tools.get(id), ...tool });
    }
  }

  finished({ run_id: runId, message }) {
    if (message) this.#answer(runId, message);
  }

  rolledBack({ run_id: runId }) {
    this.entries = this.entries.filter((entry) => entry.runId !== runId);
  }

  injected({ message }) {
    this.entries.push({ runId: null, message });
  }

  /** Where they stand among the others is not told. */
  imported() {
    this.#isStale = true;
  }

  sessionChanged({ change }) {
    if (change !== "patched" && change !== "created") this.#isStale = true;
  }

  #hasAnswer(runId) {
    return this.entries.some((entry) => entry.runId === runId && entry.message.role !== "user");
  }

  #answer(runId, message) {
    if (this.#hasAnswer(runId)) return;
    const question = this.entries.findLastIndex((entry) => entry.runId === runId);
    const entry = { runId, message };
    if (question === -1) this.entries.push(entry);
    else this.entries.splice(question + 1, 0, entry);
  }

  /**
   * Send a message. It is shown at once, and becomes the stored one when that comes.
   *
   * @param {string} text
   * @param {{content: string, mime_type: string, file_name: string}[]} attachments
   * @param {string | null} strategy what it does to an open turn; `null`: what the session says.
   */
  async send(text, attachments, strategy) {
    const runId = newKey();
    const params = {
      session: this.session,
      message: text,
      ...(attachments.length ? { attachments } : {}),
      ...(strategy ? { multitask_strategy: strategy } : {}),
    };
    const images = attachments.map((each) => ({ type: "image", data: each.content, mimeType: each.mime_type }));
    const content = [...(text ? [{ type: "text", text }] : []), ...images];
    this.pending.set(runId, { message: { role: "user", content, timestamp: Date.now() }, params, error: null });
    await this.#push(runId);
  }

  /** Send a message again that was refused; under its own key, so that it is never sent twice. */
  async again(runId, strategy) {
    const known = this.pending.get(runId);
    if (!known) return;
    const params = { ...known.params, multitask_strategy: strategy ?? known.params.multitask_strategy };
    this.pending.set(runId, { ...known, params, error: null });
    await this.#push(runId);
  }

  async #push(runId) {
    this.#changed();
    const { params } = this.pending.get(runId);
    try {
      const sent = await this.#app.call("chat.send", { ...params, idempotency_key: runId });
      if (sent.status === "stopped") {
        this.pending.delete(runId);
        this.#app.notices.tell(sent.aborted?.length > 0 ? STOPPED : NOT_SENT);
      } else if (sent.status !== "started") {
        // It was stored before the connection broke; what became of it is in the history.
        this.pending.delete(runId);
        await this.load(this.#at);
      }
    } catch (error) {
      const known = this.pending.get(runId);
      if (known) this.pending.set(runId, { ...known, error });
    }
    this.#changed();
  }

  /** Give a message up that was refused. */
  drop(runId) {
    this.pending.delete(runId);
    this.#changed();
  }
}

const { prototype } = Conversation;
const FOLLOW = new Map([
  ["chat.accepted", prototype.accepted],
  ["chat.started", prototype.started],
  ["chat.delta", prototype.said],
  ["chat.tool", prototype.worked],
  ["chat.final", prototype.finished],
  ["chat.error", prototype.finished],
  ["chat.aborted", prototype.finished],
  ["chat.rolled_back", prototype.rolledBack],
  ["chat.injected", prototype.injected],
  ["chat.imported", prototype.imported],
  ["chat.session", prototype.sessionChanged],
]);
