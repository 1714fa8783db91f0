// The turns of one run below each other, each with a bar where it stands in the run's time.

import { fill, h, keep, mark, say } from "../../parts/element.js";
import { count, span } from "../../parts/format.js";
import { line, shown } from "../../parts/text.js";
import { excerpt } from "../../parts/dialogs.js";
import { callsOf, modelOf, stepOf, timeOf, tokensOf } from "./steps.js";

const ROWS = 200;
const LIVE_TEXT = 4000;

export class Waterfall {
  #most = ROWS;
  #opened = new Set();
  #redraw;

  /** @param {() => void} redraw asks to be drawn again. */
  constructor(redraw) {
    this.#redraw = redraw;
    this.earlier = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => this.#showEarlier() });
    this.rows = h("ol", { class: "turns" });
    this.tools = h("ul", { class: "turns live-tools" });
    this.text = h("pre", { class: "live-text" });
    this.live = h("div", { class: "live", hidden: true }, h("p", { class: "live-head" }, "Saying now"), this.text);
    this.element = h("div", { class: "waterfall" }, this.earlier, this.rows, this.tools, this.live);
  }

  /**
   * Draw.
   *
   * @param {import("./trace.js").Trace} trace
   * @param {number} now Unix milliseconds.
   */
  draw(trace, now) {
    const { run, turns } = trace;
    const range = { from: run.started_at, to: Math.max(run.ended_at ?? now, run.started_at + 1) };
    const first = Math.max(0, turns.length - this.#most);
    this.earlier.hidden = first === 0;
    say(this.earlier, `Show earlier turns (${count(first)})`);
    keep(this.rows, turns.slice(first).map((entry, place) => ({ entry, index: first + place })), {
      key: ({ index }) => `${run.run_id} ${index}`,
      make: ({ entry, index }) => this.#makeRow(entry, index, run.run_id),
      update: (row, { index }) => placeBar(row.querySelector(".turn-bar"), row.querySelector(".turn-time"), timeOf(turns, index, run), range),
    });
    const isOpen = run.status === "in_progress";
    keep(this.tools, isOpen ? [...trace.tools] : [], {
      key: ([id]) => id,
      make: ([, tool]) => makeTool(tool),
      update: (row, [, tool]) => placeBar(row.querySelector(".turn-bar"), row.querySelector(".turn-time"), { begin: tool.since, end: now }, range),
    });
    this.live.hidden = !isOpen || !trace.text;
    const text = trace.text;
    say(this.text, shown(text.length > LIVE_TEXT ? `…${text.slice(-LIVE_TEXT)}` : text, LIVE_TEXT + 1));
  }

  #showEarlier() {
    this.#most += ROWS;
    this.#redraw();
  }

  #makeRow({ turn }, index, runId) {
    const step = stepOf(turn);
    const id = `turn-${runId}-${index}`;
    const body = h("div", { class: "turn-body", id, hidden: true });
    const calls = callsOf(turn);
    const head = h("button", {
      type: "button", class: "turn-head", "aria-expanded": "false", "aria-controls": id,
      onclick: () => this.#toggle(head, body, turn, index),
    },
      h("span", { class: "turn-number number" }, index + 1),
      h("span", { class: "turn-sign", "aria-hidden": "true" }, step.isBad ? "✗" : step.sign),
      h("span", { class: "turn-label", "data-field": "label" }, h("span", { class: "hidden-visually" }, KINDS[step.kind]), step.label,
        turn.tool ? null : calls.map((call) => h("span", { class: "chip call" }, `⚒ ${line(call.name ?? "tool", 40)}`))),
      h("span", { class: "turn-track", "aria-hidden": "true" }, h("span", { class: "turn-bar" })),
      h("span", { class: "turn-time number", "data-field": "took" }));
    const row = h("li", { class: "turn", "data-kind": step.kind, "data-bad": step.isBad, "data-row": `turn:${index}` }, head, body);
    if (this.#opened.has(id)) this.#toggle(head, body, turn, index);
    return row;
  }

  #toggle(head, body, turn, index) {
    const isOpen = head.getAttribute("aria-expanded") === "true";
    mark(head, "aria-expanded", String(!isOpen));
    body.hidden = isOpen;
    if (isOpen) this.#opened.delete(body.id);
    else this.#opened.add(body.id);
    if (!isOpen && !body.firstChild) fill(body, detailOf(turn, index));
  }
}

const KINDS = { tool: "tool ", prompt: "prompt ", answer: "answer ", step: "" };

const PARTS = [
  ["prompt", "Prompt"],
  ["parameters", "Parameters"],
  ["output", "Output"],
  ["cli_outcome", "Command's outcome"],
  ["policy_rejected", "Refused by a policy"],
];

/** Show everything of one turn. */
function detailOf(turn, index) {
  const parts = PARTS.filter(([name]) => turn[name] !== undefined && turn[name] !== null && turn[name] !== "");
  const calls = turn.tool ? [] : callsOf(turn);
  const { read, written } = tokensOf(turn);
  const facts = [
    modelOf(turn) && `model ${line(modelOf(turn), 60)}`,
    read + written > 0 && `${count(read)} tokens read, ${count(written)} written`,
    turn.verifier_verdict && turn.verifier_verdict !== "not_run" && `verified: ${line(turn.verifier_verdict, 60)}`,
  ].filter(Boolean);
  return [
    parts.map(([name, title]) => part(title, turn[name], index)),
    calls.map((call) => part(`Asked for ${line(call.name ?? "a tool", 60)}`, call.arguments ?? call.args ?? {}, index)),
    facts.length > 0 && h("p", { class: "soft" }, facts.join(" · ")),
    parts.length + calls.length + facts.length === 0 && h("p", { class: "soft" }, "Nothing was recorded of this turn."),
  ];
}

function part(title, value, index) {
  const text = value && typeof value === "object" && Object.keys(value).length === 1 && typeof value.text === "string" ? value.text : value;
  return h("div", { class: "turn-part" }, h("h4", {}, title), excerpt(`Turn ${index + 1}: ${title}`, text, 2000));
}

function makeTool(tool) {
  return h("li", { class: "turn", "data-kind": "tool", "data-live": true },
    h("div", { class: "turn-head" },
      h("span", { class: "turn-number" }), h("span", { class: "turn-sign", "aria-hidden": "true" }, "⚒"),
      h("span", { class: "turn-label" }, line(tool.name ?? "tool", 80), h("span", { class: "soft" }, " works…")),
      h("span", { class: "turn-track", "aria-hidden": "true" }, h("span", { class: "turn-bar" })),
      h("span", { class: "turn-time number" })));
}

function placeBar(bar, label, time, { from, to }) {
  bar.hidden = time === null;
  if (!time) return;
  const left = ((time.begin - from) / (to - from)) * 100;
  bar.style.setProperty("--left", `${Math.min(99, Math.max(0, left))}%`);
  bar.style.setProperty("--width", `${Math.max(0.6, ((time.end - time.begin) / (to - from)) * 100)}%`);
  say(label, span(time.end - time.begin));
}

