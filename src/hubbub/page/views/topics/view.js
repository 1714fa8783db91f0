// Topics: which there are and how busy they are, the tail of one, and a form to publish.

import { empty } from "../../parts/empty.js";
import { h } from "../../parts/element.js";
import { GROUPS } from "../../room/rates.js";
import { TopicTable } from "./list.js";
import { PublishForm } from "./publish.js";
import { Tail } from "./tail.js";

/** Topics that are read at a time. */
const PAGE = 500;

class TopicsView {
  #app;
  #room = null;
  #stored = new Map(); // topic → {events, last_seq, last_at}
  #base = new Map(); // topic → stored events that were counted when the journal was read
  #chosen = null;
  #isPast = false;
  #reading = 0;
  #ends = [];

  constructor(place, app, rest) {
    this.#app = app;
    this.#chosen = rest[0] || null;
    this.tail = new Tail(app);
    this.form = new PublishForm(app);
    this.find = h("input", { type: "search", id: "topics-find", autocomplete: "off", spellcheck: "false", placeholder: "begins with…", oninput: () => this.#read() });
    const choose = (name) => app.navigate("topics", name);
    this.topics = new TopicTable("Topics of clients", "Events", choose, () => this.#show());
    this.groups = new TopicTable("The daemon's own, since this page was opened", "Seen", choose, () => this.#show());
    this.rest = h("button", { type: "button", hidden: true, onclick: () => this.#read([...this.#stored.keys()].at(-1)) }, "Read more topics");
    this.nothing = empty("No client has published yet. A topic begins with its first event:", "hubbub publish lobby '\"hello\"'");
    place.append(h("div", { class: "topics" },
      h("section", { class: "topics-list stack", "aria-labelledby": "topics-title" },
        h("div", { class: "row spread" }, h("h2", { id: "topics-title" }, "Topics"), h("label", { class: "row soft" }, "Find", this.find)),
        this.nothing, this.topics.element, this.rest, this.groups.element),
      h("div", { class: "topics-side" }, this.tail.element, this.form.element)));
    this.#keys();
    const second = setInterval(() => document.hidden || this.#show(), 1000);
    this.#ends.push(() => clearInterval(second));
    if (this.#chosen) this.form.suggest(this.#chosen);
  }

  #keys() {
    const add = (key, does, run) => this.#ends.push(this.#app.keys.add("Topics", key, does, run));
    add("j", "next topic", () => this.#move(1));
    add("k", "topic before", () => this.#move(-1));
    add("ArrowDown", "next event of the tail", () => this.tail.river.move(1));
    add("ArrowUp", "event before", () => this.tail.river.move(-1));
    add("f", "find a topic", () => this.find.focus());
    add("p", "let the tail stand still, or flow on", () => this.tail.pin());
    add("n", "publish", () => this.form.data.focus());
  }

  #move(by) {
    const next = this.topics.neighbour(this.#chosen, by) ?? (this.groups.neighbour(this.#chosen, by) ?? this.#across(by));
    if (!next) return;
    next.focus();
    next.click();
  }

  /** From the last topic of clients to the daemon's first, and back. */
  #across(by) {
    const isGroup = GROUPS.includes(this.#chosen);
    if (isGroup === by > 0) return null;
    const buttons = [...(isGroup ? this.topics : this.groups).rows.querySelectorAll(".topic-name")];
    return by > 0 ? buttons[0] : buttons.at(-1);
  }

  route(rest) {
    const name = rest[0] || null;
    if (name === this.#chosen) return;
    this.#chosen = name;
    if (name) this.form.suggest(name);
    this.#follow();
    this.#show();
  }

  update({ room, events, isPast, isReset }) {
    this.#room = room;
    this.#isPast = isPast;
    this.form.allow(this.#app.locked);
    if (isReset) this.#read().then(() => this.#follow());
    else for (const event of events) this.tail.take(event, room);
    this.tail.river.draw();
  }

  /** Read which topics the journal has, from the beginning or behind one. */
  async #read(after) {
    const reading = (this.#reading += 1);
    const prefix = this.find.value.trim();
    const page = await this.#app.told(this.#app.call("topics.list", { prefix, services: false, limit: PAGE, after: after ?? null }));
    if (!page || reading !== this.#reading) return;
    if (after === undefined) this.#stored.clear();
    for (const topic of page.topics) {
      this.#stored.set(topic.topic, topic);
      this.#base.set(topic.topic, this.#app.rates.of(topic.topic).stored);
    }
    this.rest.hidden = !page.more;
    this.#chosen ??= this.#rows()[0]?.name ?? null;
    this.#show();
  }

  #follow() {
    if (this.#chosen && this.#room) this.tail.follow(this.#chosen, this.#room, this.#lastSeq());
    this.tail.element.hidden = !this.#chosen;
    if (this.#chosen) this.form.suggest(this.#chosen);
  }

  #lastSeq() {
    const newest = this.#app.rates.of(this.#chosen).last?.seq || null;
    return newest ?? this.#stored.get(this.#chosen)?.last_seq ?? null;
  }

  /** All topics of clients that are known: of the journal, and those that have come since. */
  #rows() {
    const { rates } = this.#app;
    const prefix = this.find.value.trim();
    const names = new Set(this.#stored.keys());
    for (const name of rates.names()) if (name.startsWith(prefix) && !GROUPS.includes(name)) names.add(name);
    const rows = [...names].map((name) => {
      const lately = rates.of(name);
      return { name, stored: this.#stored.get(name) ?? null, lately, since: lately.stored - (this.#base.get(name) ?? 0) };
    });
    const busy = (row) => row.lately.perSecond || (row.lately.total ? 1e-9 : 0);
    // Those with a pulse first, but in an order that does not jump with each event.
    return rows.sort((a, b) => (busy(b) > 0) - (busy(a) > 0) || (a.name < b.name ? -1 : 1));
  }

  #show() {
    if (!this.#room) return;
    const rows = this.#rows();
    const now = Date.now();
    this.nothing.hidden = rows.length > 0 || this.find.value !== "";
    this.topics.element.hidden = !rows.length;
    this.topics.show(rows, this.#chosen, now);
    const groups = GROUPS.map((name) => ({ name, stored: null, lately: this.#app.rates.of(name), since: 0 }));
    this.groups.show(groups, this.#chosen, now);
  }

  close() {
    this.#reading += 1;
    for (const end of this.#ends) end();
    this.tail.close();
  }
}

/** @type {import("../index.js").View} */
export const topics = {
  name: "topics",
  title: "Topics",
  key: "5",
  open: (place, app, rest) => new TopicsView(place, app, rest),
};
