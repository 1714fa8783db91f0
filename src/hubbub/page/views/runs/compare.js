// Two runs side by side: on one scale from their own beginnings, in figures, and turn by turn.

import { fill, h, keep, mark, say } from "../../parts/element.js";
import { clock, count, hue, span } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { stateOf, stepOf, sums, timeOf } from "./steps.js";

const SEGMENTS = 400;
const ROWS = 200;
const NAMES = ["A", "B"];

export class Compare {
  #traces;
  #most = ROWS;
  #drawn = "";

  /**
   * @param {import("./trace.js").Trace[]} traces two.
   * @param {{redraw: () => void}} how
   */
  constructor(traces, { redraw }) {
    this.#traces = traces;
    this.heads = traces.map((trace, place) => makeHead(trace, place));
    this.tracks = traces.map((_, place) => h("div", { class: "compare-track" },
      h("span", { class: "compare-letter", "aria-hidden": "true" }, NAMES[place]), h("div", { class: "segments" }), h("span", { class: "number compare-took" })));
    this.figures = h("tbody", {});
    this.turns = h("tbody", {});
    this.more = h("button", {
      type: "button", class: "quiet", hidden: true,
      onclick: () => ((this.#most += ROWS), (this.#drawn = ""), redraw()),
    }, "Show more turns");
    this.problem = h("p", { class: "empty", hidden: true });
    this.element = h("div", { class: "compare stack" },
      h("div", { class: "compare-heads" }, this.heads.map((head) => head.element)), this.problem,
      h("section", { class: "card stack", "aria-label": "Both from their beginning" },
        h("h3", {}, "From their beginning"), this.tracks,
        h("p", { class: "legend" }, ["tool", "answer", "prompt"].map((kind) => h("span", { "data-kind": kind }, kind)),
          h("span", { "data-bad": true }, "error"))),
      h("section", { class: "card stack" }, h("h3", {}, "What differs"),
        h("div", { class: "wide" }, h("table", { class: "figures compare-figures" },
          h("caption", { class: "hidden-visually" }, "Figures of both runs"), header("Figure", "Difference"), this.figures))),
      h("section", { class: "card stack" }, h("h3", {}, "Turn by turn"),
        h("div", { class: "wide" }, h("table", { class: "figures compare-turns" },
          h("caption", { class: "hidden-visually" }, "Turns of both runs"), header("Turn", null), this.turns)), this.more));
  }

  /** @param {number} now Unix milliseconds. */
  draw(now) {
    const failed = this.#traces.find((trace) => trace.error);
    this.problem.hidden = !failed;
    if (failed) say(this.problem, `A run cannot be shown: ${line(failed.error.message, 300)}`);
    this.#traces.forEach((trace, place) => this.heads[place].draw(trace));
    if (this.#traces.some((trace) => !trace.run)) return;
    const took = this.#traces.map(({ run }) => (run.ended_at ?? now) - run.started_at);
    this.#traces.forEach((trace, place) => drawTrack(this.tracks[place], trace, took[place], Math.max(...took, 1)));
    this.#figures(took);
    const state = this.#traces.map(({ turns, run }) => `${turns.length} ${run.status}`).join(" ");
    if (state !== this.#drawn) this.#turns();
    this.#drawn = state;
  }

  #figures(took) {
    const [a, b] = this.#traces;
    const [sumA, sumB] = [sums(a.turns), sums(b.turns)];
    const calls = (sum) => [...sum.tools.values()].reduce((total, each) => total + each, 0);
    const rows = [
      words("Outcome", stateOf(a.run).word, stateOf(b.run).word),
      words("Agent", line(a.run.agent, 60), line(b.run.agent, 60)),
      words("Wanted", line(a.run.intent, 120), line(b.run.intent, 120)),
      words("Said in the end", line(stateOf(a.run).text, 200), line(stateOf(b.run).text, 200)),
      numbers("Took", ...took, span),
      numbers("Turns", a.turns.length, b.turns.length),
      numbers("Tool calls", calls(sumA), calls(sumB)),
      ...toolNames(sumA, sumB).map((name) => numbers(`⚒ ${name}`, sumA.tools.get(name) ?? 0, sumB.tools.get(name) ?? 0)),
      numbers("Errors", sumA.failures, sumB.failures),
      numbers("Tokens in", sumA.tokens.read, sumB.tokens.read),
      numbers("Tokens out", sumA.tokens.written, sumB.tokens.written),
    ].filter(({ values }) => values.some((value) => value !== "" && value !== "0"));
    keep(this.figures, rows, {
      key: ({ name }) => name,
      make: ({ name }) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}), h("td", {}), h("td", { class: "difference" })),
      update: (row, { values, difference }) => {
        [...values, difference].forEach((text, place) => say(row.children[place + 1], text));
        mark(row, "data-differs", difference !== "same" || null);
      },
    });
  }

  #turns() {
    const [a, b] = this.#traces;
    const length = Math.max(a.turns.length, b.turns.length);
    this.more.hidden = length <= this.#most;
    const rows = Array.from({ length: Math.min(length, this.#most) }, (_, index) => index);
    fill(this.turns, rows.map((index) => {
      const steps = this.#traces.map((trace) => trace.turns[index] && stepOf(trace.turns[index].turn));
      const isSame = steps[0]?.kind === steps[1]?.kind && steps[0]?.label === steps[1]?.label && steps[0]?.isBad === steps[1]?.isBad;
      return h("tr", { "data-differs": !isSame || null },
        h("th", { scope: "row", class: "number" }, index + 1),
        steps.map((step, place) => h("td", {}, step && turnCell(step, this.#traces[place], index))));
    }));
  }
}

function turnCell(step, trace, index) {
  const time = timeOf(trace.turns, index, trace.run);
  return h("span", { class: "compare-step", "data-kind": step.kind, "data-bad": step.isBad },
    h("span", { class: "turn-sign", "aria-hidden": "true" }, step.isBad ? "✗" : step.sign),
    h("span", {}, step.label), time && h("span", { class: "soft number" }, span(time.end - time.begin)));
}

function makeHead(trace, place) {
  const title = h("h3", {}, h("a", { href: `#/runs/${encodeURIComponent(trace.runId)}` }, "Reading the run…"));
  const chip = h("span", { class: "chip state" });
  const about = h("p", { class: "soft" });
  const element = h("article", { class: "card stack", "aria-label": `Run ${NAMES[place]}` },
    h("div", { class: "row" }, h("span", { class: "compare-letter" }, NAMES[place]), chip), title, about);
  return { element, draw: ({ run }) => {
    if (!run) return;
    const state = stateOf(run);
    say(chip, `${state.sign} ${state.word}`);
    mark(chip, "data-tone", state.tone);
    say(title.firstElementChild, line(run.intent, 200) || "A run without an intent");
    say(about, `${line(run.agent, 60)} · ${clock(run.started_at)}`);
    element.style.setProperty("--hue", hue(run.agent));
  } };
}

function drawTrack(track, { run, turns }, took, longest) {
  const [, segments, label] = track.children;
  segments.style.setProperty("--width", `${(took / longest) * 100}%`);
  mark(segments, "data-open", run.status === "in_progress");
  say(label, span(took));
  const items = turns.slice(-SEGMENTS).map((entry, place) => ({ entry, index: Math.max(0, turns.length - SEGMENTS) + place }));
  keep(segments, items, {
    key: ({ index }) => String(index),
    make: ({ entry }) => {
      const step = stepOf(entry.turn);
      return h("span", { class: "segment", "data-kind": step.kind, "data-bad": step.isBad, title: step.label });
    },
    update: (segment, { index }) => {
      const time = timeOf(turns, index, run);
      segment.hidden = !time;
      if (!time) return;
      segment.style.setProperty("--left", `${((time.begin - run.started_at) / longest) * 100}%`);
      segment.style.setProperty("--width", `${Math.max(0.3, ((time.end - time.begin) / longest) * 100)}%`);
    },
  });
}

function toolNames(a, b) {
  return [...new Set([...a.tools.keys(), ...b.tools.keys()])].sort().slice(0, 30);
}

const words = (name, a, b) => ({ name, values: [a, b], difference: a === b ? "same" : "differs" });

function numbers(name, a, b, text = count) {
  const more = b - a;
  const sign = more > 0 ? "+" : "−";
  return { name, values: [text(a), text(b)], difference: text(a) === text(b) ? "same" : `${sign} ${text(Math.abs(more))}` };
}

function header(first, last) {
  return h("thead", {}, h("tr", {}, h("th", { scope: "col" }, first), NAMES.map((name) => h("th", { scope: "col" }, name)),
    last && h("th", { scope: "col" }, last)));
}
