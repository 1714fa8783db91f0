// The conversation on the page: what was said, what is being said, and what is not stored yet.

import { fill, h, keep, mark, say } from "../../parts/element.js";
import { clock, moment } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { fillMessage, tail, textParts } from "./message.js";
import { STRATEGIES, endText } from "./words.js";

/** Nearer to the end than this, in pixels, one reads along. */
const NEAR = 80;

export class Transcript {
  #conversation;
  #how;
  #count = 0;
  // Somebody reads along, and has not gone up to what was said before.
  #follows = true;
  #top = 0;

  /**
   * @param {import("./conversation.js").Conversation} conversation
   * @param {{drop: (runId: string) => void, earlier: () => void}} how `drop`: stops a queued turn.
   */
  constructor(conversation, how) {
    this.#conversation = conversation;
    this.#how = how;
    this.earlier = h("button", { type: "button", class: "quiet", hidden: true, onclick: how.earlier }, "Show earlier messages");
    this.items = h("ol", { class: "messages" });
    this.scroller = h("div", { class: "transcript", tabindex: "0", role: "region", "aria-label": "Conversation" }, this.earlier, this.items);
    this.down = h("button", { type: "button", class: "to-end", hidden: true, onclick: () => this.toEnd() }, "↓ Newest");
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.element = h("div", { class: "transcript-frame" }, this.scroller, this.down);
    // What is below may grow and leave less room.
    new ResizeObserver(() => this.#follows && this.toEnd()).observe(this.scroller);
  }

  get #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  toEnd() {
    this.#follows = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  #scrolled() {
    const { scrollTop } = this.scroller;
    // Only going up says that one does not read along: the end moves away by itself.
    if (this.#isAtEnd) this.#follows = true;
    else if (scrollTop < this.#top) this.#follows = false;
    this.#top = scrollTop;
    if (this.#isAtEnd) this.down.hidden = true;
  }

  /**
   * Draw.
   *
   * @param {Map<string, any>} runs of the room.
   * @param {{isPast: boolean, isLocked: boolean, now: number}} state
   */
  draw(runs, state) {
    const items = this.#list(runs, state);
    this.earlier.hidden = !this.#conversation.hasEarlier;
    keep(this.items, items, {
      key: (item) => item.key,
      make: (item) => makeItem(item, this.#how, this.#conversation),
      update: (element, item) => updateItem(element, item, state.now),
    });
    if (this.#follows) this.toEnd();
    else if (items.length > this.#count) this.down.hidden = false;
    this.#count = items.length;
  }

  #list(runs, { isPast, isLocked }) {
    const { entries, turns, pending } = this.#conversation;
    const items = [];
    const used = new Map();
    entries.forEach((entry, place) => {
      const { runId, message } = entry;
      const role = roleOf(message);
      const base = runId ? `${runId} ${role}` : `${role} ${message.timestamp}`;
      const number = used.get(base) ?? 0;
      used.set(base, number + 1);
      const turn = turns.get(runId);
      items.push({ key: `${base} ${number}`, role, runId, message, run: runs.get(runId), isQueued: role === "user" && turn && !turn.started, canDrop: !isLocked });
      if (entries[place + 1]?.runId === runId && runId) return;
      if (turn?.started && isPast) items.push({ key: `${runId} note`, role: "note", text: "It was being answered then." });
      else if (turn?.started) items.push({ key: `${runId} assistant 0`, role: "assistant", runId, turn });
      else if (role === "user" && runId && !turn) items.push(...ended(runId, runs.get(runId)));
    });
    for (const [runId, turn] of turns) {
      // Its question is older than what was read.
      if (turn.started && !isPast && !used.has(`${runId} user`)) items.push({ key: `${runId} assistant 0`, role: "assistant", runId, turn });
    }
    if (!isPast) {
      for (const [runId, sent] of pending) items.push({ key: `${runId} user 0`, role: "user", runId, message: sent.message, sent });
    }
    return items;
  }
}

/** Say what became of a question without an answer. */
function ended(runId, run) {
  const text = endText(run);
  return text ? [{ key: `${runId} note`, role: "note", text }] : [];
}

const roleOf = (message) => ({ user: "user", assistant: "assistant", tool: "tool", toolResult: "tool" })[message.role] ?? "other";
const NAMES = { user: "You", assistant: "Agent", tool: "Tool", other: "System" };

function makeItem(item, how, conversation) {
  if (item.role === "note") return h("li", { class: "message-note" }, item.text);
  const body = h("div", { class: "bubble", "data-field": "text" });
  const foot = h("div", { class: "message-foot row", "data-field": "foot" });
  const element = h("li", { class: "message", "data-role": item.role, "data-row": `message:${item.key}` },
    h("span", { class: "hidden-visually" }, `${NAMES[item.role]}: `), body, foot);
  Object.assign(element, { body, foot, how, conversation });
  return element;
}

function updateItem(element, item, now) {
  if (item.role === "note") return say(element, item.text);
  if (item.turn) return updateTurn(element, item, now);
  mark(element, "data-live", null);
  mark(element, "data-state", item.sent ? (item.sent.error ? "refused" : "sending") : item.isQueued ? "queued" : null);
  if (element.drawn !== item.message) {
    element.drawn = item.message;
    fillMessage(element.body, item.message);
  }
  const state = item.sent ? (item.sent.error ?? "sending") : item.isQueued ? "queued" : item.message;
  if (element.footed !== state) {
    element.footed = state;
    fill(element.foot, item.sent ? sentFoot(item, element) : storedFoot(item, element));
  }
}

function storedFoot(item, element) {
  const { message, runId, isQueued } = item;
  const usage = message.usage?.totalTokens ? `${message.usage.totalTokens} tokens` : null;
  return [
    isQueued && h("span", { class: "chip warn" }, "in line"),
    isQueued && item.canDrop && h("button", { type: "button", class: "quiet small", onclick: () => element.how.drop(runId) }, "Take it back"),
    message.timestamp && h("time", { title: moment(message.timestamp) }, clock(message.timestamp)),
    message.model && h("span", {}, line(message.model, 60)),
    usage, runId && item.role !== "user" && h("a", { href: `#/runs/${encodeURIComponent(runId)}` }, "its run"),
  ];
}

function sentFoot({ runId, sent }, { conversation }) {
  if (!sent.error) return [h("span", {}, "sending…")];
  const isBusy = sent.error.code === "session_busy";
  return [
    h("p", { class: "message-error" }, "✗ Not sent: ", line(sent.error.message, 300)),
    isBusy
      ? STRATEGIES.filter(([name]) => name !== "reject").map(([name, title, does]) =>
        h("button", { type: "button", class: "small", title: does, onclick: () => conversation.again(runId, name) }, title))
      : h("button", { type: "button", class: "small", onclick: () => conversation.again(runId) }, "Try again"),
    h("button", { type: "button", class: "quiet small", onclick: () => conversation.drop(runId) }, "Give it up"),
  ];
}

function updateTurn(element, { turn, runId }, now) {
  mark(element, "data-live", true);
  mark(element, "data-state", null);
  const tools = [...turn.tools.values()];
  const state = `${turn.text.length} ${tools.map((tool) => tool.phase).join()}`;
  if (element.drawn !== state) {
    element.drawn = state;
    fill(element.body,
      tools.length > 0 && h("ul", { class: "tool-lines" }, tools.slice(-20).map(toolLine)),
      turn.text ? textParts(tail(turn.text)) : h("p", { class: "thinking" }, "thinking"));
  }
  if (element.footed !== runId) {
    element.footed = runId;
    element.since = now;
    fill(element.foot, h("span", { class: "live-mark" }, "answering"), h("a", { href: `#/runs/${encodeURIComponent(runId)}` }, "its run"));
  }
}

function toolLine(tool) {
  const isDone = tool.phase === "result";
  return h("li", { "data-done": isDone || null }, h("span", { "aria-hidden": "true" }, isDone ? "✓" : "⚒"), " ",
    h("code", {}, line(tool.name ?? "tool", 60)), " ",
    h("span", { class: "soft" }, tool.args === undefined ? "" : line(tool.args, 100)));
}
