// What has happened to the open issue and its lock, read when somebody wants to see it.

import { h, keep, say } from "../../parts/element.js";
import { moment } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { agentChip } from "./pieces.js";

/** Events of one read, reads, and rows at most. Events may be large: pages are small. */
const PAGE = 50;
const PAGES = 40;
const MOST = 150;

export class History {
  #app;
  #id = null;
  #past = null;
  #events = null;
  #turn = 0;

  /** @param {import("../../main.js").App} app */
  constructor(app) {
    this.#app = app;
    this.list = h("ol", { class: "work-history" });
    this.note = h("p", { class: "soft" });
    this.element = h("details", { class: "work-part", ontoggle: () => this.element.open && this.#events === null && this.#read() },
      h("summary", {}, "History"), this.note, this.list);
  }

  close() {
    this.#turn += 1;
    this.#events = null;
    this.element.open = false;
  }

  /** @param {import("../index.js").Change} change */
  update(id, { room, events, isPast, isReset }) {
    this.#id = id;
    this.#past = isPast ? room.position : null;
    if (isReset && this.#events !== null) this.#read();
    else if (this.#events !== null) this.#add(events);
  }

  #topics() {
    return [`issues/${this.#id}`, `locks/${this.#id}`];
  }

  #add(events) {
    const topics = this.#topics();
    const mine = events.filter((event) => event.seq !== 0 && topics.includes(event.topic) && event.seq > (this.#events.at(-1)?.seq ?? 0));
    if (mine.length === 0) return;
    this.#events = [...this.#events, ...mine].slice(-MOST);
    this.#show();
  }

  async #read() {
    const turn = ++this.#turn;
    this.#events = [];
    let found = [];
    say(this.note, "Reading…");
    try {
      let page = { position: undefined };
      for (let pages = 0; pages < PAGES; pages += 1) {
        page = await this.#app.call("journal.read", { topics: this.#topics(), limit: PAGE, ...(page.position ? { after: page.position } : {}) });
        if (turn !== this.#turn) return;
        found = [...found, ...page.events].slice(-MOST);
        if (!page.more || (this.#past && page.position.seq >= this.#past.seq)) break;
      }
    } catch (error) {
      return this.#app.failed(error);
    }
    const newest = found.at(-1)?.seq ?? 0;
    this.#events = [...found.filter((event) => !this.#past || event.seq <= this.#past.seq), ...this.#events.filter((event) => event.seq > newest)];
    this.#show();
  }

  #show() {
    say(this.note, this.#events.length ? "" : "Its events are kept no longer.");
    this.note.hidden = this.#events.length > 0;
    keep(this.list, [...this.#events].reverse(), { key: (event) => String(event.seq), make: made });
  }
}

function made(event) {
  return h("li", { "data-row": `event:${event.seq}` },
    h("span", { class: "row" }, h("time", { class: "soft" }, moment(event.at)), agentChip(event.actor), h("strong", {}, said(event))),
    h("details", {}, h("summary", { class: "soft" }, `event ${event.seq}`), h("pre", {}, line(event.data, 2000))));
}

const CHANGES = {
  created: "opened it", updated: "edited it", status: "closed or reopened it", comments: "commented",
  labels: "changed labels", blockers: "changed blockers", subissues: "added a subissue", deleted: "deleted it",
};

function said({ kind, data }) {
  if (kind === "issue.changed") {
    if (data.field === "status" && data.issue) return data.issue.status === "open" ? "reopened it" : "closed it";
    return CHANGES[data.field] ?? line(data.field, 40);
  }
  const fence = data.fence === undefined ? "" : `, fence ${data.fence}`;
  const why = data.reason ? `: ${line(data.reason, 120)}` : "";
  const verb = { "lock.claimed": "claimed the lock", "lock.stolen": "stole the lock", "lock.renewed": "renewed the lock", "lock.released": "released the lock", "lock.lost": "lost the lock", "wait.begun": "waits for the lock", "wait.ended": "waits no longer" }[kind];
  return verb && data.agent ? `${line(data.agent, 40)} ${verb}${fence}${why}` : line(kind, 60);
}
