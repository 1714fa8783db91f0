// Work: the board of issues, what waits for what, who holds what; and one issue beside them.

import { h, mark } from "../../parts/element.js";
import { empty } from "../../parts/empty.js";
import { DaemonClock } from "../../room/clock.js";
import { Acts } from "./acts.js";
import { Board } from "./board.js";
import { Detail } from "./detail.js";
import { Graph } from "./graph.js";
import { Leases } from "./leases.js";
import { boardOf, matching, matters } from "./model.js";
import { askNew } from "./new-issue.js";
import { tick } from "./pieces.js";

const PANES = [["board", "Board"], ["graph", "Graph"], ["locks", "Locks"]];
const TICK_MS = 1000;

/** @type {import("../index.js").View} */
export const work = {
  name: "work",
  title: "Work",
  key: "4",
  open: (place, app, rest) => new Work(place, app, rest),
};

class Work {
  #app;
  #clock = new DaemonClock();
  #room = null;
  #arranged = null;
  #selected = null;
  #pane = "board";
  #keys = [];
  #stale = true;

  constructor(place, app, rest) {
    this.#app = app;
    this.acts = new Acts(app, () => this.#again());
    this.panes = { board: new Board(), graph: new Graph(() => this.#again()), locks: new Leases() };
    this.detail = new Detail(app, this.acts, { close: () => this.#leave() });
    this.filter = h("input", { type: "search", placeholder: "Filter: words #7 @name !high", "aria-label": "Filter issues", oninput: () => this.#again(), autocomplete: "off" });
    this.create = h("button", { type: "button", class: "main", onclick: () => askNew(app, this.acts) }, "New issue");
    this.tabs = h("nav", { class: "work-panes", "aria-label": "Parts of Work" }, PANES.map(([name, title]) =>
      h("a", { href: name === "board" ? "#/work" : `#/work/${name}`, "data-pane": name }, title)));
    this.none = empty("There is no issue yet. Open the first one with “New issue”, or let an agent do so:",
      'eval "$(hubbub env crosslink)"', 'curl -H "Authorization: Bearer $CROSSLINK_TOKEN" "$CROSSLINK_URL/api/v1/issues" -H "Content-Type: application/json" -d \'{"title": "Try hubbub"}\'');
    this.main = h("div", { class: "work-main" },
      h("div", { class: "row spread work-bar" }, h("div", { class: "row" }, h("h2", {}, "Work"), this.tabs), h("div", { class: "row work-tools" }, this.filter, this.create)),
      this.none, Object.values(this.panes).map((pane) => pane.element));
    this.element = h("div", { class: "work" }, this.main, this.detail.element);
    place.append(this.element);
    this.#bind();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#clock.compare(() => app.call("system.health")).catch(() => undefined);
    this.route(rest);
  }

  #timer;

  close() {
    clearInterval(this.#timer);
    for (const remove of this.#keys) remove();
  }

  /** `#/work`, `#/work/graph`, `#/work/locks`, or an issue beside what was open: `#/work/7`. */
  route([name]) {
    const id = /^\d{1,15}$/.test(name ?? "") ? Number(name) : null;
    const back = this.#selected;
    if (id === null) this.#pane = PANES.some(([each]) => each === name) ? name : "board";
    this.#selected = id;
    this.detail.open(id);
    mark(this.element, "data-detail", id !== null);
    for (const [each, { element }] of Object.entries(this.panes)) element.hidden = each !== this.#pane;
    for (const tab of this.tabs.children) mark(tab, "aria-current", tab.dataset.pane === this.#pane ? "page" : null);
    // Whoever closes an issue goes on where it was.
    if (id === null && back !== null) this.panes[this.#pane].link?.(back)?.focus();
    this.#again();
  }

  /** @param {import("../index.js").Change} change */
  update(change) {
    const { room, events, isPast, isLocked, isReset } = change;
    this.#room = room;
    for (const event of events) this.#clock.heard(event.at);
    if (this.#stale || isReset || this.#arranged === null || events.some(matters)) {
      this.#stale = false;
      this.#arranged = boardOf(room);
      if (!isPast) this.acts.adopt(room);
      this.#show(room);
    }
    this.create.hidden = isLocked;
    this.detail.update(change, this.#arranged.cards);
    this.#tick();
  }

  #show(room) {
    const isShown = matching(this.filter.value);
    const { cards, columns } = this.#arranged;
    this.none.hidden = cards.size > 0 || this.#pane !== "board";
    this.panes.board.element.hidden = cards.size === 0 || this.#pane !== "board";
    if (this.#pane === "board") this.panes.board.update(columns, isShown, this.#selected);
    else if (this.#pane === "graph") this.panes.graph.update(cards, isShown, this.#selected);
    else this.panes.locks.update(room, cards);
    this.filter.hidden = this.#pane === "locks";
  }

  #again() {
    this.#stale = true;
    this.#app.shell?.refresh();
  }

  #tick() {
    if (!this.#room) return;
    tick(this.element, this.#app.isPast ? this.#room.at : this.#clock.now());
  }

  #leave() {
    this.#app.navigate(...(this.#pane === "board" ? ["work"] : ["work", this.#pane]));
  }

  #bind() {
    const add = (key, does, run) => this.#keys.push(this.#app.keys.add("Work", key, does, run));
    const moves = [["h", "ArrowLeft", -1, 0, "left"], ["l", "ArrowRight", 1, 0, "right"], ["k", "ArrowUp", 0, -1, "up"], ["j", "ArrowDown", 0, 1, "down"]];
    for (const [letter, arrow, right, down, way] of moves) {
      add(letter, `go ${way} on the board or in the graph`, () => this.#move(right, down));
      add(arrow, `go ${way}`, () => this.#move(right, down));
    }
    add("Enter", "open the issue", () => this.#opened());
    add("Escape", "close the issue", () => this.#selected !== null && this.#leave());
    add("/", "filter", () => this.filter.focus());
    add("v", "board, graph, locks", () => this.#turn());
    const act = (key, does, run) => add(key, does, () => this.#app.locked ? this.#app.notices.tell(this.#app.locked) : run());
    act("n", "new issue", () => askNew(this.#app, this.acts));
    act("c", "claim the issue's lock; renew one's own; ask to steal another's", () => this.#on(() => this.detail.lock.claim()));
    act("x", "close the issue, or reopen it", () => this.#on(() => this.detail.toggle(this.detail.links.card.issue)));
    act("e", "edit the issue", () => this.#on(() => this.detail.edit()));
    act("m", "comment on the issue", () => this.#on(() => this.detail.talk.text.focus()));
  }

  /** The issue that keys mean: the one with the focus, else the open one. */
  get #meant() {
    const focused = document.activeElement?.closest?.("[data-issue]")?.dataset.issue;
    return focused === undefined ? this.#selected : Number(focused);
  }

  #move(right, down) {
    const pane = this.panes[this.#pane];
    if (!pane.neighbour) return;
    const to = pane.neighbour(pane.link(this.#meant), right, down);
    to?.focus();
    to?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (this.#selected !== null && to) this.#app.navigate("work", to.dataset.issue);
  }

  #opened() {
    if (this.#meant !== null) this.#app.navigate("work", String(this.#meant));
  }

  /** Open the issue that is meant, and do something with it. */
  #on(run) {
    const id = this.#meant;
    if (id === null) return this.#app.notices.tell("Choose an issue first: j and k go over the board.");
    this.route([String(id)]);
    this.#app.navigate("work", String(id));
    this.detail.update({ room: this.#room, events: [], isPast: false, isLocked: false, isReset: false }, this.#arranged.cards);
    if (this.#arranged.cards.has(id)) run();
  }

  #turn() {
    const names = PANES.map(([name]) => name);
    const next = names[(names.indexOf(this.#pane) + 1) % names.length];
    this.#app.navigate(...(next === "board" ? ["work"] : ["work", next]));
  }
}
