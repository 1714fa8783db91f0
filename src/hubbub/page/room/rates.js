// How many events each topic brought lately, counted from when the page was opened.

import { SERVICES, serviceOf } from "./own.js";
import { briefly } from "./phrases.js";
import { weighs } from "./weight.js";

/** Milliseconds of one point of a chart. */
const STEP_MS = 2000;
/** Points of a chart: three minutes. */
export const POINTS = 90;
/** Topics that are counted; those that were silent longest go first. */
const MOST = 1000;
/** Characters of data up to which an event is kept as it is. */
const LIGHT = 2048;
/** Points over which "now" is taken. */
const NOW = 5;

/** The patterns of the topics that belong to the daemon. */
export const GROUPS = SERVICES.map((name) => `${name}/*`);

/** The row that a topic counts for: its own, or that of its group where it is the daemon's. */
export function rowOf(topic) {
  const service = serviceOf(topic);
  return service ? `${service}/*` : topic;
}

class Series {
  #points = new Uint32Array(POINTS);
  #newest = 0;
  total = 0;
  /** Stored ones among them. */
  stored = 0;
  /** Its newest event; without data where that is heavy, but then with `text`. */
  last = null;

  add(step) {
    this.#advance(step);
    this.#points[step % POINTS] += 1;
    this.total += 1;
  }

  #advance(step) {
    if (step - this.#newest >= POINTS) this.#points.fill(0);
    else for (let each = this.#newest + 1; each <= step; each += 1) this.#points[each % POINTS] = 0;
    this.#newest = Math.max(this.#newest, step);
  }

  /** Give the counts of all steps up to this one, oldest first. */
  points(step) {
    this.#advance(step);
    return Array.from({ length: POINTS }, (_, index) => this.#points[(step + 1 + index) % POINTS]);
  }
}

const SILENT = new Array(POINTS).fill(0);

export class Rates {
  #rows = new Map();
  #now;

  /** @param {() => number} [now] gives milliseconds. */
  constructor(now = Date.now) {
    this.#now = now;
  }

  /** Count an event that has just been told. */
  note(event) {
    const name = rowOf(event.topic);
    const series = this.#rows.get(name) ?? new Series();
    // The one that spoke last stands last, so that the silent ones are found in front.
    this.#rows.delete(name);
    this.#rows.set(name, series);
    series.add(this.#step());
    if (event.seq) series.stored += 1;
    series.last = weighs(event.data, LIGHT) ? { ...event, data: undefined, text: briefly(event) } : event;
    if (this.#rows.size > MOST) this.#rows.delete(this.#rows.keys().next().value);
  }

  #step() {
    return Math.floor(this.#now() / STEP_MS);
  }

  /** Names of all rows that had an event. */
  names() {
    return this.#rows.keys();
  }

  /**
   * Give what is known of a row.
   *
   * @returns {{points: number[], perSecond: number, total: number, stored: number, last: any | null}}
   */
  of(name) {
    const series = this.#rows.get(name);
    if (!series) return { points: SILENT, perSecond: 0, total: 0, stored: 0, last: null };
    const points = series.points(this.#step());
    // The step that runs is not over yet.
    const lately = points.slice(-NOW - 1, -1).reduce((sum, each) => sum + each, 0);
    const { total, stored, last } = series;
    return { points, perSecond: (lately * 1000) / (NOW * STEP_MS), total, stored, last };
  }
}
