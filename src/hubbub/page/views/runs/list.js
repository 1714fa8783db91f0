// The runs as a list, newest first; those that are watched stand in front.

import { h, keep, mark, say } from "../../parts/element.js";
import { brief, count, hue, many, moment, span } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { stateOf } from "./steps.js";

const ROWS = 100;

export class RunList {
  #most = ROWS;

  /** @param {() => void} redraw asks to be drawn again. */
  constructor(redraw) {
    this.rows = h("ul", { class: "run-rows" });
    this.more = h("button", {
      type: "button", class: "quiet", hidden: true,
      onclick: () => ((this.#most += ROWS), redraw()),
    }, "Show more");
    this.element = h("div", { class: "run-list" }, this.rows, this.more);
  }

  /**
   * @param {any[]} runs
   * @param {{now: number, chosen: string[], watched: Set<string>, selected: string | null}} state
   */
  draw(runs, state) {
    this.more.hidden = runs.length <= this.#most;
    say(this.more, `Show more (${count(runs.length - this.#most)} left)`);
    keep(this.rows, runs.slice(0, this.#most), {
      key: (run) => run.run_id,
      make: makeRow,
      update: (row, run) => updateRow(row, run, state),
    });
  }

  /** Bring a run's row into sight and give it the focus. */
  focus(runId) {
    this.rows.keptByKey?.get(runId)?.querySelector("a").focus();
  }

  /** Ids of the runs that are listed, in order. */
  get ids() {
    return [...(this.rows.keptByKey?.keys() ?? [])];
  }
}

function makeRow(run) {
  const parts = {
    state: h("span", { class: "chip state", "data-field": "state" }),
    intent: h("span", { class: "run-intent", "data-field": "intent" }, line(run.intent, 160) || "without an intent"),
    agent: h("span", { class: "agent-name", "data-field": "agent" }, line(run.agent, 40)),
    when: h("span", { class: "soft number run-when" }),
    took: h("span", { class: "number run-took", "data-field": "took" }),
    turns: h("span", { class: "soft number run-turns", "data-field": "turns" }),
    star: h("span", { class: "run-star" }),
  };
  parts.agent.style.setProperty("--hue", hue(run.agent));
  const link = h("a", { class: "run-row", href: `#/runs/${encodeURIComponent(run.run_id)}` },
    parts.state, parts.intent, parts.star, h("span", { class: "run-meta" }, parts.agent, parts.when, parts.turns, parts.took));
  const row = h("li", { "data-row": `run:${run.run_id}` }, link);
  row.parts = parts;
  return row;
}

function updateRow(row, run, { now, chosen, watched }) {
  const state = stateOf(run);
  const { parts } = row;
  say(parts.state, `${state.sign} ${state.word}`);
  mark(parts.state, "data-tone", state.tone);
  say(parts.when, now - run.started_at < 2000 ? "now" : `${brief(now - run.started_at)} ago`);
  mark(parts.when, "title", moment(run.started_at));
  say(parts.took, span((run.ended_at ?? now) - run.started_at));
  mark(parts.took, "data-fading", run.status === "in_progress");
  say(parts.turns, many(run.turn_count ?? 0, "turn"));
  say(parts.star, watched.has(run.run_id) ? "★" : "");
  mark(parts.star, "aria-label", watched.has(run.run_id) ? "watched" : null);
  mark(parts.star, "role", watched.has(run.run_id) ? "img" : null);
  mark(row.firstElementChild, "aria-current", chosen.includes(run.run_id) ? "true" : null);
}
