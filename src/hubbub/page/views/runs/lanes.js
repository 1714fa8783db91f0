// The timeline of many runs: a lane per agent, bars from start to end on one axis.

import { h, keep, mark, say } from "../../parts/element.js";
import { hue, span } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { stateOf } from "./steps.js";

const MOST_BARS = 300;
const MOST_LANES = 40;
const MOST_ROWS = 6;
const TICKS = 6;
/** A bar is never narrower than this, in percent of the axis. */
const LEAST = 0.35;

const STEPS_MS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800,
].map((seconds) => seconds * 1000);

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const SECONDS = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAYS = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit" });

export class Lanes {
  constructor() {
    this.axis = h("div", { class: "axis", "aria-hidden": "true" });
    this.lanes = h("ul", { class: "lanes" });
    this.more = h("p", { class: "soft lanes-more" });
    this.element = h("section", { class: "timeline", "aria-label": "Timeline" }, this.axis, this.lanes, this.more);
  }

  /**
   * Draw.
   *
   * @param {any[]} runs newest first.
   * @param {{from: number, to: number}} range Unix milliseconds.
   * @param {string[]} chosen ids of the runs that are open.
   */
  draw(runs, range, chosen) {
    const within = runs.filter((run) => run.started_at <= range.to && (run.ended_at ?? range.to) >= range.from);
    const lanes = laid(within.slice(0, MOST_BARS), range);
    const left = within.length - Math.min(within.length, MOST_BARS) + lanes.slice(MOST_LANES).length;
    keep(this.axis, ticksOf(range), {
      key: (tick) => String(tick.at),
      make: (tick) => h("span", { class: "tick" }, tick.text),
      update: (element, tick) => element.style.setProperty("--at", `${tick.place}%`),
    });
    keep(this.lanes, lanes.slice(0, MOST_LANES), {
      key: (lane) => lane.agent,
      make: makeLane,
      update: (element, lane) => updateLane(element, lane, range, chosen),
    });
    say(this.more, left > 0 ? `${left} more are not drawn: filter, or choose a shorter time.` : "");
  }
}

/** Give the marks of an axis: a whole number of steps that people count in. */
function ticksOf({ from, to }) {
  const step = STEPS_MS.find((each) => (to - from) / each <= TICKS) ?? 2592000000;
  const format = step < 60000 ? SECONDS : step < 86400000 ? CLOCK : DAYS;
  const offset = new Date(from).getTimezoneOffset() * 60000;
  const first = Math.ceil((from - offset) / step) * step + offset;
  const ticks = [];
  for (let at = first; at < to; at += step) {
    if (at - from > (to - from) * 0.93) break; // its text would be cut
    ticks.push({ at, place: ((at - from) / (to - from)) * 100, text: format.format(at) });
  }
  return ticks;
}

/** Share runs out among lanes, and within a lane among rows in which none covers another. */
function laid(runs, { from, to }) {
  const lanes = new Map();
  const least = ((to - from) * LEAST) / 100;
  for (const run of [...runs].sort((a, b) => a.started_at - b.started_at)) {
    const lane = lanes.get(run.agent) ?? { agent: run.agent, rows: [], bars: [], newest: 0 };
    lanes.set(run.agent, lane);
    const end = Math.max(run.ended_at ?? to, run.started_at + least);
    let row = lane.rows.findIndex((until) => until <= run.started_at);
    if (row === -1) row = lane.rows.length < MOST_ROWS ? lane.rows.length : MOST_ROWS - 1;
    lane.rows[row] = end;
    lane.newest = run.started_at;
    lane.bars.push({ run, row, end });
  }
  return [...lanes.values()].sort((a, b) => (a.agent < b.agent ? -1 : 1));
}

function makeLane(lane) {
  const name = line(lane.agent, 60);
  const element = h("li", { class: "lane" },
    h("span", { class: "lane-name", title: name }, name), h("div", { class: "lane-track" }));
  element.style.setProperty("--hue", hue(lane.agent));
  return element;
}

function updateLane(element, lane, range, chosen) {
  const track = element.lastElementChild;
  track.style.setProperty("--rows", lane.rows.length);
  keep(track, lane.bars, {
    key: (bar) => bar.run.run_id,
    make: makeBar,
    update: (bar, item) => updateBar(bar, item, range, chosen),
  });
}

function makeBar({ run }) {
  // The list below has the same runs for the keyboard; these are for the eye and the pointer.
  return h("a", { class: "bar-run", tabindex: "-1", href: `#/runs/${encodeURIComponent(run.run_id)}` },
    h("span", { class: "bar-sign", "aria-hidden": "true" }), h("span", { class: "bar-text" }));
}

function updateBar(element, { run, row, end }, { from, to }, chosen) {
  const share = (at) => ((Math.min(Math.max(at, from), to) - from) / (to - from)) * 100;
  const left = share(run.started_at);
  element.style.setProperty("--left", `${Math.min(left, 100 - LEAST)}%`);
  element.style.setProperty("--width", `${Math.max(LEAST, share(end) - left)}%`);
  element.style.setProperty("--row", row);
  const state = stateOf(run);
  mark(element, "data-tone", state.tone);
  mark(element, "aria-current", chosen.includes(run.run_id) ? "true" : null);
  say(element.firstElementChild, state.sign);
  say(element.lastElementChild, line(run.intent, 80));
  const took = run.ended_at ? span(run.ended_at - run.started_at) : "running";
  const title = `${line(run.intent, 200)}\n${line(run.agent, 60)}, ${state.word}, ${took}`;
  mark(element, "title", title);
  mark(element, "aria-label", title);
}
