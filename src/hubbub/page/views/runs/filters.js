// Which runs are shown: by agent, status, words and time.

import { fill, h, mark } from "../../parts/element.js";
import { line } from "../../parts/text.js";
import { STATUSES } from "./steps.js";

const WINDOWS = [
  ["recent", "the newest 25"],
  ["300000", "5 minutes"],
  ["3600000", "1 hour"],
  ["21600000", "6 hours"],
  ["86400000", "24 hours"],
  ["all", "everything"],
];
const RECENT = 25;
const SHORTEST_MS = 20000;

export class Filters {
  #agents = "";

  /** @param {() => void} changed */
  constructor(changed) {
    this.status = null;
    this.agent = h("select", { onchange: changed });
    this.window = h("select", { onchange: changed }, WINDOWS.map(([value, text]) => h("option", { value }, text)));
    this.words = h("input", { type: "search", placeholder: "find", "aria-label": "Find in intents, ids and agents", oninput: changed });
    this.chips = [[null, "all"], ...Object.entries(STATUSES)].map(([status, text]) =>
      h("button", {
        type: "button", class: "segment-button", "data-status": status, "aria-pressed": String(status === null),
        onclick: () => this.#choose(status, changed),
      }, text));
    this.element = h("div", { class: "run-filters row", role: "group", "aria-label": "Filters" },
      h("div", { class: "segmented" }, this.chips),
      h("label", { class: "row" }, h("span", { class: "soft" }, "agent"), this.agent),
      h("label", { class: "row" }, h("span", { class: "soft" }, "time"), this.window), this.words);
  }

  #choose(status, changed) {
    this.status = status;
    for (const chip of this.chips) mark(chip, "aria-pressed", String((chip.dataset.status ?? null) === status));
    changed();
  }

  /** Give the runs that pass, in their order. */
  apply(runs) {
    const words = this.words.value.trim().toLowerCase();
    const agent = this.agent.value;
    return runs.filter((run) =>
      (!this.status || run.status === this.status) &&
      (!agent || run.agent === agent) &&
      (!words || [run.intent, run.run_id, run.agent].some((text) => text?.toLowerCase().includes(words))));
  }

  /** Offer the agents that have runs. */
  offer(agents) {
    const text = [...agents].join("\n");
    if (text === this.#agents || document.activeElement === this.agent) return;
    this.#agents = text;
    const chosen = this.agent.value;
    fill(this.agent, h("option", { value: "" }, "all"), [...agents].map((agent) => h("option", { value: agent }, line(agent, 40))));
    this.agent.value = agents.includes(chosen) ? chosen : "";
  }

  /**
   * Give the time that the timeline shows.
   *
   * @param {any[]} runs newest first.
   * @param {number} now Unix milliseconds.
   */
  range(runs, now) {
    const choice = this.window.value;
    if (choice !== "recent" && choice !== "all") return { from: now - Number(choice), to: now };
    const some = choice === "all" ? runs : runs.slice(0, RECENT);
    const isOpen = some.some((run) => !run.ended_at);
    const to = isOpen ? now : Math.min(now, Math.max(...some.map((run) => run.ended_at ?? now)));
    const from = Math.min(...some.map((run) => run.started_at), to - SHORTEST_MS);
    const margin = (to - from) * 0.015;
    return { from: from - margin, to: to + (isOpen ? 0 : margin) };
  }
}
