// Chat: the conversations of all agents, and one of them.

import { empty } from "../../parts/empty.js";
import { fill, h, mark } from "../../parts/element.js";
import { line } from "../../parts/text.js";
import { askForSession } from "./begin.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { Head } from "./head.js";
import { Seen, SessionList } from "./sessions.js";
import { Transcript } from "./transcript.js";
import { agentId, strategyOf } from "./words.js";

/** Milliseconds between two drawings of the list at least, however much is said. */
const TICK_MS = 250;
/** Ticks after which times are shown anew. */
const TICKS = 8;

const YET = "Nothing has been said here yet. Write below, or through any other door: it shows here.";
const YET_ELSEWHERE = "Nothing has been said here yet. What is written through any door shows here.";
const THEN = "Nothing had been said here then.";

class ChatView {
  #app;
  #room = null;
  #isPast = false;
  #open = null;
  #removals;
  #timer;
  #seen = new Seen();
  #listDue = true;
  #ticks = 0;

  constructor(place, app, rest) {
    this.#app = app;
    this.list = new SessionList(() => this.#drawList());
    this.begin = h("button", { type: "button", class: "main", onclick: () => this.#begin() }, "New");
    this.side = h("aside", { class: "chat-side" },
      h("div", { class: "row spread chat-title" }, h("h2", {}, "Chat"), this.begin), this.list.element);
    this.main = h("section", { class: "chat-main", "aria-label": "Conversation" });
    this.element = h("div", { class: "chat" }, this.side, this.main);
    place.append(this.element);
    this.#dropping();
    this.#removals = this.#keys();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.route(rest);
  }

  #keys() {
    const keys = [
      ["j", "next conversation", () => this.#move(1)],
      ["ArrowDown", "next conversation", () => this.#move(1)],
      ["k", "previous conversation", () => this.#move(-1)],
      ["ArrowUp", "previous conversation", () => this.#move(-1)],
      ["Enter", "write", () => this.#open?.composer.focus()],
      ["i", "write", () => this.#open?.composer.focus()],
      ["n", "new conversation", () => this.#begin()],
      ["r", "rename the conversation", () => this.#open?.head.rename()],
      ["x", "stop what is being answered", () => this.#stop()],
      ["/", "find a conversation", () => this.list.find.focus()],
      ["Escape", "all conversations", () => this.#app.navigate("chat")],
    ];
    return keys.map(([key, does, run]) => this.#app.keys.add("Chat", key, does, (event) => {
      // What has the focus does what Enter does there.
      if (key === "Enter" && event.target.closest?.("a, button, summary, input")) return event.target.click();
      return run();
    }));
  }

  /** An image may be dropped anywhere on a conversation. */
  #dropping() {
    this.main.addEventListener("dragover", (event) => {
      if (this.#app.locked || !this.#open || ![...event.dataTransfer.items].some((item) => item.kind === "file")) return;
      event.preventDefault();
      mark(this.main, "data-drop", true);
    });
    for (const kind of ["dragleave", "drop"]) this.main.addEventListener(kind, () => mark(this.main, "data-drop", null));
    this.main.addEventListener("drop", (event) => {
      if (this.#app.locked || !this.#open) return;
      event.preventDefault();
      this.#open.composer.images.add(event.dataTransfer.files);
    });
  }

  /** Open the session that the address names, or none. */
  route([session]) {
    if (this.#open && this.#open.asked === session) return;
    this.#open?.conversation.close();
    this.#open?.composer.images.clear();
    this.#open = session ? this.#make(session) : null;
    mark(this.element, "data-shows", session ? "one" : "list");
    fill(this.main, this.#open ? this.#open.parts : h("div", { class: "chat-none" }, this.hint = h("div", {})));
    this.#load();
    this.#draw();
  }

  #make(session) {
    const conversation = new Conversation(this.#app, session, () => this.#draw());
    const head = new Head(this.#app, conversation);
    const transcript = new Transcript(conversation, {
      drop: (runId) => this.#stop(runId),
      earlier: () => conversation.loadAll(this.#at),
    });
    const composer = new Composer(this.#app, {
      send: (text, attachments, strategy) => {
        conversation.send(text, attachments, strategy);
        transcript.toEnd();
      },
      stop: () => this.#stop(),
    });
    const nothing = h("div", { class: "chat-none", hidden: true });
    return { asked: session, conversation, head, transcript, composer, nothing, parts: [head.element, nothing, transcript.element, composer.element] };
  }

  get #at() {
    return this.#isPast ? this.#room.position : null;
  }

  #load() {
    if (this.#room && this.#open) this.#open.conversation.load(this.#at);
  }

  #stop(runId) {
    const conversation = this.#open?.conversation;
    if (this.#app.locked || !conversation?.turns.size) return;
    this.#app.told(this.#app.write("chat.abort", { session: conversation.session, ...(runId ? { run_id: runId } : {}) }));
  }

  async #begin() {
    if (this.#app.locked) return;
    const session = await askForSession(this.#groups().map(({ agent }) => agent));
    if (!session) return;
    this.#app.navigate("chat", session);
    setTimeout(() => this.#open?.composer.focus(), 50);
  }

  #move(by) {
    const { keys } = this.list;
    const at = keys.indexOf(this.#open?.conversation.session);
    const next = keys[at === -1 ? 0 : Math.min(keys.length - 1, Math.max(0, at + by))];
    if (!next) return;
    this.#app.navigate("chat", next);
    this.list.focus(next);
  }

  update({ room, events, isPast, isReset }) {
    const isFirst = this.#room === null;
    this.#room = room;
    this.#isPast = isPast;
    if (isReset || isFirst) this.#load();
    let isNear = isReset || isFirst;
    for (const event of events) {
      if (this.#open) isNear = this.#open.conversation.take(event) || isNear;
      if (event.seq !== 0 && event.topic.startsWith("chat/")) this.#listDue = true;
    }
    if (isNear) this.#drawOpen();
    if (isReset || isFirst) this.#drawList();
  }

  #tick() {
    this.#ticks += 1;
    if (this.#listDue || this.#ticks % TICKS === 0) this.#drawList();
  }

  #draw() {
    if (!this.#room) return;
    this.#drawOpen();
    this.#drawList();
  }

  #drawOpen() {
    if (!this.#open || !this.#room) return;
    const { conversation, head, transcript, composer, nothing } = this.#open;
    const row = this.#room.sessions.get(conversation.session);
    head.draw(row);
    const isEmpty = conversation.isRead && !conversation.entries.length && !conversation.pending.size && !conversation.turns.size;
    nothing.hidden = !isEmpty && !conversation.error;
    transcript.element.hidden = !nothing.hidden;
    if (!nothing.hidden) this.#explain(nothing, conversation);
    transcript.draw(this.#room.runs, { isPast: this.#isPast, isLocked: this.#app.locked !== "", now: Date.now() });
    composer.draw({ isLocked: this.#app.locked !== "", isOpen: conversation.turns.size > 0, own: strategyOf(row) });
    if (row && !this.#isPast && !document.hidden) this.#seen.look(row);
  }

  #explain(place, { error, session }) {
    const live = this.#isPast ? THEN : this.#app.locked ? YET_ELSEWHERE : YET;
    const text = error ? `This conversation cannot be shown: ${line(error.message, 300)}` : live;
    if (place.said === text) return;
    place.said = text;
    fill(place, empty(text, ...(error || this.#isPast ? [] : [`hubbub tail ${quoted(`chat/${session}`)}`])));
  }

  #drawList() {
    if (!this.#room) return;
    this.#listDue = false;
    const busy = new Set();
    for (const run of this.#room.runs.values()) {
      if (run.status === "in_progress" && run.session_key) busy.add(run.session_key);
    }
    const now = this.#isPast ? this.#room.at : Date.now();
    this.begin.hidden = this.#app.locked !== "";
    this.list.draw(this.#groups(), { now, session: this.#open?.conversation.session ?? null, busy, seen: this.#isPast ? null : this.#seen });
    if (!this.#open && !this.hint.firstChild) {
      fill(this.hint, empty("Choose a conversation, or begin a new one. What agents answer is set in config.toml; until then “main” is an echo.", "hubbub config show"));
    }
  }

  /** Sessions by agent, the agent that spoke last first, then those that have none yet. */
  #groups() {
    const groups = new Map();
    const rows = [...this.#room.sessions.values()].sort((a, b) => b.updated_at - a.updated_at);
    const group = (agent) => {
      if (!groups.has(agent)) groups.set(agent, { agent, status: "", rows: [] });
      return groups.get(agent);
    };
    for (const row of rows) group(row.agent).rows.push(row);
    for (const { agent, status } of this.#room.agents.values()) group(agentId(agent)).status = status;
    group("main");
    return [...groups.values()];
  }

  close() {
    clearInterval(this.#timer);
    for (const remove of this.#removals) remove();
    this.#open?.conversation.close();
    this.#open?.composer.images.clear();
  }
}

const quoted = (text) => (/^[\w/:.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** @type {import("../index.js").View} */
export const chat = {
  name: "chat",
  title: "Chat",
  key: "3",
  open: (place, app, rest) => new ChatView(place, app, rest),
};
