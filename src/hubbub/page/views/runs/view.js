// Runs: a timeline and a list of all, one in full, or two side by side.

import { empty } from "../../parts/empty.js";
import { fill, h, mark, say } from "../../parts/element.js";
import { count } from "../../parts/format.js";
import { Compare } from "./compare.js";
import { Detail } from "./detail.js";
import { Filters } from "./filters.js";
import { Lanes } from "./lanes.js";
import { RunList } from "./list.js";
import { Trace } from "./trace.js";

/** Milliseconds between two drawings of what moves by the clock alone. */
const TICK_MS = 250;
const WATCHED = "hubbub.watched";
const MOST_WATCHED = 20;

class RunsView {
  #app;
  #room = null;
  #isPast = false;
  #due = true;
  #traces = [];
  #shown = null;
  #removals;
  #timer;

  constructor(place, app, rest) {
    this.#app = app;
    this.watched = new Set(stored());
    this.filters = new Filters(() => this.#draw());
    this.lanes = new Lanes();
    this.list = new RunList(() => this.#draw());
    this.counts = h("span", { class: "soft" });
    this.nothing = h("div", { hidden: true });
    this.side = h("div", { class: "runs-side", hidden: true });
    this.back = h("a", { class: "as-button", href: "#/runs", hidden: true }, "← All runs");
    this.overview = h("div", { class: "runs-overview stack" }, this.filters.element, this.nothing, this.lanes.element, this.list.element);
    this.element = h("div", { class: "runs" },
      h("div", { class: "runs-main stack" },
        h("div", { class: "row runs-title" }, this.back, h("h2", {}, "Runs"), this.counts), this.overview),
      this.side);
    place.append(this.element);
    this.#removals = this.#keys();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.route(rest);
  }

  #keys() {
    const keys = [
      ["j", "next run", () => this.#move(1)],
      ["ArrowDown", "next run", () => this.#move(1)],
      ["k", "previous run", () => this.#move(-1)],
      ["ArrowUp", "previous run", () => this.#move(-1)],
      ["Escape", "close the run", () => this.#app.navigate("runs")],
      ["w", "watch the run, or no longer", () => this.#detail && this.#watch(this.#traces[0].runId)],
      ["x", "cancel the run", () => this.#detail?.stop()],
      ["/", "find a run", () => this.filters.words.focus()],
    ];
    return keys.map(([key, does, run]) => this.#app.keys.add("Runs", key, does, run));
  }

  get #detail() {
    return this.#shown instanceof Detail ? this.#shown : null;
  }

  /** Open the runs that the address names: none, one, or two. */
  route(rest) {
    const wanted = rest.filter(Boolean).slice(0, 2);
    const ids = this.#traces.map((trace) => trace.runId);
    if (wanted.join("\n") === ids.join("\n") && this.#shown) return;
    for (const trace of this.#traces) trace.close();
    this.#traces = wanted.map((id) => new Trace(this.#app, id, () => this.#draw()));
    this.#shown = this.#open();
    const isPair = this.#traces.length === 2;
    mark(this.element, "data-shows", ["list", "one", "pair"][this.#traces.length]);
    this.side.hidden = this.#traces.length === 0;
    this.overview.hidden = isPair;
    this.back.hidden = !isPair;
    fill(this.side, this.#shown?.element);
    this.side.scrollTop = 0;
    if (this.#room) this.#load();
    this.#draw();
  }

  #open() {
    const redraw = () => this.#draw();
    if (this.#traces.length === 2) return new Compare(this.#traces, { redraw });
    if (this.#traces.length === 0) return null;
    return new Detail(this.#app, this.#traces[0], {
      watched: this.watched,
      watch: (id) => this.#watch(id),
      others: () => this.#runs(),
      close: () => this.#app.navigate("runs"),
      redraw,
    });
  }

  #load() {
    const at = this.#isPast ? this.#room.position : null;
    for (const trace of this.#traces) trace.load(at);
  }

  update({ room, events, isPast, isReset }) {
    const isFirst = this.#room === null;
    this.#room = room;
    this.#isPast = isPast;
    if (isReset || isFirst) this.#load();
    let isNear = false;
    for (const event of events) {
      for (const trace of this.#traces) isNear = trace.take(event) || isNear;
      if (event.topic.startsWith("runs/")) this.#due = true;
    }
    if (isReset || isFirst) this.#draw();
    else if (isNear) this.#drawShown();
  }

  #tick() {
    const isMoving = !this.#isPast && this.#traces.some((trace) => trace.run?.status === "in_progress");
    if (this.#due || this.#isOpen) this.#draw();
    else if (isMoving) this.#drawShown();
  }

  /** Runs of the room, newest first, those that are watched in front. */
  #runs() {
    return this.#room ? [...this.#room.runs.values()].reverse() : [];
  }

  get #now() {
    return this.#isPast ? this.#room.at : Date.now();
  }

  #draw() {
    if (!this.#room) return;
    this.#due = false;
    this.#drawShown();
    if (this.overview.hidden) return;
    const all = this.#runs();
    const open = all.filter((run) => run.status === "in_progress");
    this.#isOpen = !this.#isPast && open.length > 0;
    say(this.counts, all.length ? `${count(all.length)}, ${count(open.length)} running` : "");
    this.filters.offer([...new Set(all.map((run) => run.agent))].sort());
    const some = this.filters.apply(all);
    const chosen = this.#traces.map((trace) => trace.runId);
    const watched = all.filter((run) => this.watched.has(run.run_id));
    const now = this.#now;
    this.#empty(all, some);
    this.lanes.element.hidden = some.length === 0;
    if (some.length) this.lanes.draw(some, this.filters.range(some, now), chosen);
    this.list.draw([...watched, ...some.filter((run) => !this.watched.has(run.run_id))], { now, chosen, watched: this.watched });
  }

  #isOpen = false;

  #empty(all, some) {
    const wanted = some.length ? "" : all.length ? "filtered" : this.#isPast ? "past" : "none";
    this.nothing.hidden = !wanted;
    if (this.nothing.dataset.is === wanted) return;
    this.nothing.dataset.is = wanted;
    if (wanted === "filtered") fill(this.nothing, empty("No run passes these filters."));
    if (wanted === "past") fill(this.nothing, empty("No run had begun then."));
    if (wanted === "none") {
      fill(this.nothing, empty(
        "Nothing has run yet. A run begins when an agent starts one, or with a message in Chat; an agent is pointed here by:",
        "hubbub env car"));
    }
  }

  #drawShown() {
    if (!this.#shown || !this.#room) return;
    const isAtEnd = this.side.scrollHeight - this.side.scrollTop - this.side.clientHeight < 60;
    this.#shown.draw(this.#now);
    // A run that is watched is followed, unless somebody reads further up.
    const [trace] = this.#traces;
    if (this.#detail && isAtEnd && this.watched.has(trace.runId) && trace.run?.status === "in_progress") {
      this.side.scrollTop = this.side.scrollHeight;
    }
  }

  #watch(id) {
    if (!this.watched.delete(id)) this.watched.add(id);
    while (this.watched.size > MOST_WATCHED) this.watched.delete(this.watched.values().next().value);
    sessionStorage.setItem(WATCHED, JSON.stringify([...this.watched]));
    if (this.watched.has(id)) this.side.scrollTop = this.side.scrollHeight;
    this.#draw();
  }

  #move(by) {
    const ids = this.list.ids;
    if (!ids.length || this.overview.hidden) return;
    const at = ids.indexOf(this.#traces[0]?.runId);
    const next = ids[at === -1 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by))];
    this.#app.navigate("runs", next);
    this.list.focus(next);
  }

  close() {
    clearInterval(this.#timer);
    for (const remove of this.#removals) remove();
    for (const trace of this.#traces) trace.close();
  }
}

function stored() {
  try {
    const ids = JSON.parse(sessionStorage.getItem(WATCHED) ?? "[]");
    return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}

/** @type {import("../index.js").View} */
export const runs = {
  name: "runs",
  title: "Runs",
  key: "2",
  open: (place, app, rest) => new RunsView(place, app, rest),
};
