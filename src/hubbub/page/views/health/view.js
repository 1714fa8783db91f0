// Health: how the daemon is, read every two seconds while somebody looks.

import { Sparkline } from "../../parts/chart.js";
import { copyable } from "../../parts/empty.js";
import { fill, h, mark, say } from "../../parts/element.js";
import { clock, count, moment, span } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { ConnectionTable, LimitTable, ListenerTable } from "./tables.js";
import { FIGURES, verdict } from "./verdicts.js";

const EVERY_MS = 2000;
const SOON_MS = 700;
/** Looks that a chart shows: three minutes. */
const POINTS = 90;

class HealthView {
  #app;
  #before = null;
  #isReading = false;
  #isClosed = false;
  #figures;

  constructor(place, app) {
    this.#app = app;
    this.state = h("section", { class: "card ready", role: "status" });
    this.word = h("strong", { class: "ready-word" }, "Looking…");
    this.reasons = h("div", { class: "stack" });
    this.about = h("p", { class: "soft number" });
    this.age = h("p", { class: "soft number" });
    fill(this.state, h("div", { class: "row spread" }, h("div", { class: "row" }, h("span", { class: "ready-sign", "aria-hidden": "true" }), this.word), this.about), this.reasons);
    this.#figures = FIGURES.map((figure) => new FigureCard(figure));
    this.connections = new ConnectionTable();
    this.listeners = new ListenerTable();
    this.limits = new LimitTable();
    place.append(h("div", { class: "health" },
      h("div", { class: "row spread" }, h("h2", {}, "Health"), this.age), this.state,
      h("ul", { class: "figure-cards" }, this.#figures.map((each) => each.element)),
      this.connections.element, this.listeners.element, this.limits.element));
    this.timer = setInterval(() => this.#read(), EVERY_MS);
    // Two looks, close together: what is counted by the second needs both.
    this.#read();
    this.soon = setTimeout(() => this.#read(), SOON_MS);
  }

  update({ isPast }) {
    say(this.age, isPast ? "Health is always that of now, also while the past is shown." : this.age.textContent);
  }

  async #read() {
    if (document.hidden || this.#isReading || this.#app.connection.state !== "open") return this.#old();
    this.#isReading = true;
    try {
      const health = await this.#app.call("system.health");
      if (!this.#isClosed) this.#show(health);
    } catch (error) {
      say(this.word, "The daemon does not tell its figures");
      mark(this.state, "data-tone", "warn");
      fill(this.reasons, h("p", {}, error.message), copyable("hubbub doctor"));
    } finally {
      this.#isReading = false;
    }
  }

  /** While nothing can be read, say how old the figures are. */
  #old() {
    if (this.#before && this.#app.connection.state !== "open") say(this.age, `These figures are of ${clock(this.#before.now)}; the daemon does not answer now.`);
  }

  #show(health) {
    const { ready, reasons } = health;
    say(this.word, ready ? "Ready: writes are taken" : "Not ready: writes are refused, reads go on");
    mark(this.state, "data-tone", ready ? "good" : "bad");
    const told = reasons.join("\n");
    if (this.reasons.dataset.told !== told) {
      this.reasons.dataset.told = told;
      fill(this.reasons, reasons.map((each) => h("p", { class: "ready-reason" }, line(each, 400))), reasons.length > 0 && copyable("hubbub doctor"));
    }
    say(this.about, `hubbub ${health.version}, for ${span(health.now - health.started_at)} since ${moment(health.started_at)}, at event ${count(health.position.seq)}`);
    if (!this.#app.isPast) say(this.age, `as of ${clock(health.now)}, read every ${EVERY_MS / 1000} s`);
    for (const each of this.#figures) each.show(health, this.#before);
    this.connections.showAt(health.connections, health.now);
    this.listeners.show(health.listeners);
    this.limits.showSorted(health.limits);
    this.#before = health;
  }

  close() {
    this.#isClosed = true;
    clearInterval(this.timer);
    clearTimeout(this.soon);
  }
}

/** One figure: its value now, a word on it, what it means, and how it went. */
class FigureCard {
  #figure;
  #values = [];
  #spark = new Sparkline(POINTS);

  constructor(figure) {
    this.#figure = figure;
    this.value = h("strong", { class: "figure-value number" }, "–");
    this.word = h("span", { class: "chip" });
    this.more = h("p", { class: "soft number" });
    this.element = h("li", { class: "card figure-card" },
      h("div", { class: "row spread" }, h("h3", {}, figure.name), this.word), this.value, this.more, this.#spark.element, h("p", { class: "soft figure-means" }, figure.means));
  }

  show(health, before) {
    const { value: read, text, more, floor } = this.#figure;
    const value = read(health, before);
    say(this.value, value === null ? "not known yet" : text(value));
    mark(this.value, "data-unknown", value === null);
    say(this.more, more ? more(value, health) : "");
    const judged = verdict(this.#figure, value);
    this.word.hidden = !judged;
    if (judged) {
      mark(this.word, "class", `chip ${judged.tone}`);
      say(this.word, judged.word);
    }
    mark(this.element, "data-tone", judged?.tone);
    // A store in memory has no disk that could become full.
    this.element.hidden = value === null && Boolean(this.#figure.isOptional);
    if (value === null) return;
    this.#values.push(value);
    if (this.#values.length > POINTS) this.#values.shift();
    this.#spark.draw(this.#values, floor);
  }
}

/** @type {import("../index.js").View} */
export const health = {
  name: "health",
  title: "Health",
  key: "6",
  open: (place, app) => new HealthView(place, app),
};
