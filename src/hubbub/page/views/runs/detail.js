// One run in full: how it stands, what may be done with it, and its turns.

import { confirmed, excerpt } from "../../parts/dialogs.js";
import { fill, h, mark, say } from "../../parts/element.js";
import { clock, count, hue, moment, short, span } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { disconnectText, stateOf, sums } from "./steps.js";
import { Waterfall } from "./waterfall.js";

/** Milliseconds for which the choice of runs to compare with stays as it is. */
const LISTED_MS = 2000;
const MOST_TOOLS = 12;
const SOURCES = { car: "CAR", chat: "chat", rpc: "hubbub" };

export class Detail {
  #app;
  #trace;
  #drawnRun = null;
  #outcome = "";
  #listedAt = 0;

  /**
   * @param {import("../../main.js").App} app
   * @param {import("./trace.js").Trace} trace
   * @param {{watched: Set<string>, watch: (id: string) => void, others: () => any[], redraw: () => void,
   *   close?: () => void}} how `others`: runs that it may be compared with.
   */
  constructor(app, trace, how) {
    this.#app = app;
    this.#trace = trace;
    this.how = how;
    this.title = h("h3", { class: "run-title", tabindex: "-1", "data-field": "intent" });
    this.chip = h("span", { class: "chip state", "data-field": "state" });
    this.facts = h("dl", { class: "facts" });
    this.outcome = h("div", { class: "outcome", "data-field": "outcome" });
    this.watch = h("button", { type: "button", onclick: () => how.watch(trace.runId) }, "Watch");
    this.cancel = h("button", { type: "button", class: "danger", onclick: () => this.stop() }, "Cancel the run");
    this.chat = h("a", { class: "as-button", hidden: true }, "Open the chat");
    this.compare = h("select", { "aria-label": "Compare with another run", onchange: () => this.#compare() });
    this.close = how.close && h("button", { type: "button", class: "quiet close", "aria-label": "Close the run", onclick: how.close }, "✕");
    this.waterfall = new Waterfall(how.redraw);
    this.body = h("div", { class: "run-body stack" },
      h("div", { class: "run-actions row" }, this.watch, this.cancel, this.chat, this.compare),
      this.facts, this.outcome, h("h4", { class: "turns-title" }, "Turns"), this.waterfall.element);
    this.problem = h("p", { class: "empty", hidden: true });
    this.element = h("article", { class: "run-detail", "aria-label": "Run", "data-row": "run-detail" },
      h("header", { class: "run-head" }, this.chip, this.title, this.close), this.problem, this.body);
  }

  /** Ask, then stop the run. */
  async stop() {
    const { run } = this.#trace;
    if (this.#app.locked || run?.status !== "in_progress") return;
    const yes = await confirmed({
      title: "Cancel this run?",
      text: `“${line(run.intent, 200)}” of ${line(run.agent, 60)} ends as cancelled. What it has recorded stays.`,
      action: "Cancel the run",
    });
    if (!yes) return;
    const work = run.source === "chat" && run.session_key
      ? this.#app.write("chat.abort", { session: run.session_key, run_id: run.run_id })
      : this.#app.write("runs.cancel", { run_id: run.run_id });
    await this.#app.told(work);
  }

  #compare() {
    const other = this.compare.value;
    this.compare.value = "";
    if (other) this.#app.navigate("runs", this.#trace.runId, other);
  }

  /** @param {number} now Unix milliseconds. */
  draw(now) {
    const trace = this.#trace;
    const { run } = trace;
    this.problem.hidden = trace.error === null;
    this.body.hidden = run === null || trace.error !== null;
    if (trace.error) say(this.problem, `This run cannot be shown: ${line(trace.error.message, 300)}`);
    if (!run) {
      say(this.title, trace.error ? line(trace.runId, 80) : "Reading the run…");
      this.chip.hidden = true;
      return;
    }
    this.#head(run);
    if (this.#drawnRun !== run) this.#facts(run);
    this.#drawnRun = run;
    this.#took(run, now);
    this.waterfall.draw(trace, now);
  }

  #head(run) {
    const state = stateOf(run);
    this.chip.hidden = false;
    say(this.chip, `${state.sign} ${state.word}`);
    mark(this.chip, "data-tone", state.tone);
    say(this.title, line(run.intent, 300) || "A run without an intent");
    const isWatched = this.how.watched.has(run.run_id);
    mark(this.watch, "aria-pressed", String(isWatched));
    say(this.watch, isWatched ? "★ Watching" : "☆ Watch");
    this.cancel.hidden = run.status !== "in_progress" || this.#app.locked !== "";
    this.chat.hidden = !run.session_key;
    if (run.session_key) mark(this.chat, "href", `#/chat/${encodeURIComponent(run.session_key)}`);
    this.#choices(run);
  }

  #choices(run) {
    // An open list must not change under the pointer, and many runs are not listed each frame.
    if (document.activeElement === this.compare || Date.now() - this.#listedAt < LISTED_MS) return;
    this.#listedAt = Date.now();
    const others = this.how.others().filter((other) => other.run_id !== run.run_id).slice(0, 30);
    const text = others.map((other) => other.run_id).join(" ");
    this.compare.hidden = others.length === 0;
    if (this.compare.listed === text) return;
    this.compare.listed = text;
    fill(this.compare, h("option", { value: "" }, "Compare with…"), others.map((other) =>
      h("option", { value: other.run_id }, `${clock(other.started_at)} ${line(other.agent, 20)}: ${line(other.intent, 50)}`)));
  }

  #facts(run) {
    const { tools, tokens, failures } = sums(this.#trace.turns);
    const agent = h("span", { class: "agent-name" }, line(run.agent, 60));
    agent.style.setProperty("--hue", hue(run.agent));
    this.took = h("span", { class: "number" });
    fill(this.facts,
      fact("Agent", agent),
      fact("Through", SOURCES[run.source] ?? line(run.source, 20)),
      fact("Started", h("time", { title: moment(run.started_at) }, clock(run.started_at))),
      fact("Took", this.took),
      fact("Turns", count(run.turn_count)),
      tokens.read + tokens.written > 0 && fact("Tokens", `${count(tokens.read)} in, ${count(tokens.written)} out`),
      failures > 0 && fact("Errors", h("span", { class: "bad-text" }, count(failures))),
      fact("Id", h("code", { title: line(run.run_id, 300) }, short(line(run.run_id, 300)))),
      tools.size > 0 && fact("Tools", toolChips(tools), "whole-row"));
    this.#ending(run);
  }

  #ending(run) {
    const state = stateOf(run);
    const wanted = [run.status, state.text, run.outcome_description, run.on_disconnect].join("\n");
    if (wanted === this.#outcome) return;
    this.#outcome = wanted;
    mark(this.outcome, "data-tone", state.tone);
    const evidence = run.termination?.evidence;
    fill(this.outcome,
      run.status === "in_progress"
        ? h("p", {}, disconnectText(run))
        : [h("p", { class: "outcome-word" }, `${state.sign} ${state.word}`), state.text && excerpt("How it ended", state.text, 1200)],
      run.outcome_description && h("p", { class: "soft" }, "Wanted: ", line(run.outcome_description, 400)),
      Array.isArray(evidence) && evidence.length > 0 && h("ul", { class: "evidence" }, evidence.slice(0, 10).map((each) =>
        h("li", {}, h("span", { class: "chip" }, line(each.kind || "evidence", 40)), " ", line(each.description, 300)))));
  }

  #took(run, now) {
    say(this.took, span((run.ended_at ?? now) - run.started_at));
  }
}

/** Name the tools that were used, the most used first. */
function toolChips(tools) {
  const most = [...tools].sort((a, b) => b[1] - a[1]).slice(0, MOST_TOOLS);
  return most.map(([name, times]) => h("span", { class: "chip" }, times > 1 ? `${name} × ${times}` : name));
}

function fact(name, value, place) {
  return h("div", { class: place }, h("dt", {}, name), h("dd", {}, value));
}
