// How much happened when, drawn behind the slider; and what lies under the pointer.

import { h, mark, say, svg } from "../parts/element.js";
import { count, moment } from "../parts/format.js";
import { eventAt, told } from "./event.js";

const POINTS = 120;
/** Milliseconds between two reads at least, and between a move of the pointer and a read. */
const PAUSE_MS = 10_000;
const REST_MS = 120;
/** Half of the slider's thumb: its middle goes from here to as far from the other end. */
const THUMB = 8;

export class Activity {
  #app;
  #slider;
  #points = [];
  #readAt = -Infinity;
  #readTo = -1;
  #rest;

  /**
   * @param {object} app
   * @param {HTMLInputElement} slider
   */
  constructor(app, slider) {
    this.#app = app;
    this.#slider = slider;
    this.path = svg("path", {});
    this.drawing = svg("svg", { class: "time-activity", viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true" }, this.path);
    this.hint = h("div", { class: "time-hint", "aria-hidden": "true", hidden: true });
    this.element = h("div", { class: "time-track", onpointermove: (event) => this.#over(event), onpointerleave: () => this.#away() },
      this.drawing, slider, this.hint);
  }

  /** Read again when the journal has grown, but not often. */
  refresh(newest) {
    if (newest === this.#readTo || performance.now() - this.#readAt < PAUSE_MS || document.hidden) return;
    this.#readAt = performance.now();
    this.#readTo = newest;
    this.#app.call("journal.activity", { points: POINTS }).then(({ points }) => this.#show(points), () => undefined);
  }

  #show(points) {
    this.#points = points;
    mark(this.path, "d", outline(points));
  }

  /** The position under a place on the slider. */
  #under(x) {
    const { left, width } = this.#slider.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (x - left - THUMB) / (width - 2 * THUMB)));
    const [min, max] = [Number(this.#slider.min), Number(this.#slider.max)];
    return Math.round(min + part * (max - min));
  }

  #over(event) {
    const seq = this.#under(event.clientX);
    this.hint.hidden = false;
    this.hint.style.setProperty("--x", `${event.clientX - this.element.getBoundingClientRect().left}px`);
    // As far to the left of the pointer as the pointer is to the right: so it stays in the window.
    this.hint.style.setProperty("--shift", `${(-100 * event.clientX) / innerWidth}%`);
    const when = this.#timeOf(seq);
    say(this.hint, `event ${count(seq)}${when ? ` · ${moment(when)}` : ""}`);
    clearTimeout(this.#rest);
    const epoch = this.#app.live.room?.position.epoch;
    if (epoch && seq > 0) this.#rest = setTimeout(() => this.#tell(epoch, seq), REST_MS);
  }

  async #tell(epoch, seq) {
    const event = await eventAt(this.#app, epoch, seq).catch(() => null);
    if (event && !this.hint.hidden) say(this.hint, `event ${count(seq)} · ${moment(event.at)} · ${told(event)}`);
  }

  #away() {
    clearTimeout(this.#rest);
    this.hint.hidden = true;
  }

  /** About when an event was: between those whose time is known. */
  #timeOf(seq) {
    const after = this.#points.findIndex((point) => point.seq >= seq);
    if (after <= 0) return this.#points[after]?.at ?? null;
    const [from, to] = [this.#points[after - 1], this.#points[after]];
    return from.at + ((seq - from.seq) / (to.seq - from.seq)) * (to.at - from.at);
  }
}

/** Events per second between each two points, on a scale on which ten times as much is one step. */
function outline(points) {
  if (points.length < 3) return "";
  const width = points.at(-1).seq;
  const rates = points.slice(1).map((point, index) =>
    Math.log10(1 + ((point.seq - points[index].seq) * 1000) / Math.max(1, point.at - points[index].at)));
  const most = Math.max(...rates, 0.5);
  const x = (point) => ((point.seq / width) * 1000).toFixed(1);
  const steps = rates.map((rate, index) => `H${x(points[index])}V${(100 - (92 * rate) / most).toFixed(1)}H${x(points[index + 1])}`);
  return `M${x(points[0])} 100${steps.join("")}V100Z`;
}
