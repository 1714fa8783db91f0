// The tables of Health: connections, listeners, limits.

import { h, keep, mark, say } from "../../parts/element.js";
import { bytes, count, span } from "../../parts/format.js";
import { named } from "../../parts/person.js";
import { line } from "../../parts/text.js";
import { doorTitle } from "../../room/doors.js";
import { amount, slowness, usage } from "./verdicts.js";

/** Rows of a table before somebody asks for more. */
const FIRST = 20;

class Table {
  #limit = FIRST;
  #rows = [];

  constructor(caption, note, columns) {
    this.body = h("tbody", {});
    this.more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => {
      this.#limit *= 5;
      this.show(this.#rows);
    } });
    this.element = h("section", { class: "card health-table" },
      h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, h("table", { class: "figures" },
        h("caption", {}, h("strong", {}, caption), h("span", { class: "soft" }, note)),
        h("thead", {}, h("tr", {}, columns.map(([title, isNumber]) => h("th", { scope: "col", class: isNumber ? "number" : null }, title)))), this.body)),
      this.more);
  }

  show(rows) {
    this.#rows = rows;
    this.more.hidden = rows.length <= this.#limit;
    say(this.more, `Show more of ${count(rows.length)}`);
    keep(this.body, rows.slice(0, this.#limit), {
      key: (row) => this.key(row), make: (row) => this.make(row), update: (element, row) => this.update(element, row),
    });
  }
}

const cell = (isNumber) => h("td", { class: isNumber ? "number" : null });

export class ConnectionTable extends Table {
  #now = 0;

  constructor() {
    super("Connections", "Those with the longest queue first; a slow one hurts only itself.",
      [["Who"], ["Door"], ["For", true], ["Queue", true], ["Dropped", true], ["Keeps up?"]]);
  }

  showAt(rows, now) {
    this.#now = now;
    const order = (row) => row.queued_bytes + (row.dropped || row.lagging ? 1 : 0);
    this.show([...rows].sort((a, b) => order(b) - order(a) || a.since - b.since));
  }

  key(row) {
    return row.id;
  }

  make(row) {
    const who = row.agent ? named(row.agent, 40) : h("span", {}, line(row.principal ?? "somebody, not known yet", 60));
    const cells = [cell(true), cell(true), cell(true), h("td", {}, h("span", { class: "chip" }))];
    const door = h("td", { "data-door": row.door, class: "health-door" }, h("span", { class: "door-dot", "aria-hidden": "true" }), ` ${doorTitle(row.door)}`);
    const element = h("tr", {}, h("th", { scope: "row" }, who), door, cells);
    element.cells_ = cells;
    return element;
  }

  update(element, row) {
    const [since, queue, dropped, state] = element.cells_;
    say(since, span(this.#now - row.since));
    say(queue, row.queued_frames ? `${count(row.queued_frames)} frames, ${bytes(row.queued_bytes)}` : "empty");
    say(dropped, row.dropped ? count(row.dropped) : "none");
    const slow = slowness(row);
    mark(element, "data-tone", slow?.tone);
    mark(state.firstChild, "class", `chip ${slow?.tone ?? "good"}`);
    say(state.firstChild, slow?.word ?? "yes");
  }
}

export class ListenerTable extends Table {
  constructor() {
    super("Listeners", "Each address that is open, since the daemon started.",
      [["Door"], ["Address"], ["Connections", true], ["HTTP requests", true], ["Queued", true], ["Dropped", true], ["Refused", true], ["Closed as slow", true]]);
  }

  key(row) {
    return row.name;
  }

  make(row) {
    const cells = Array.from({ length: 6 }, () => cell(true));
    const element = h("tr", {}, h("th", { scope: "row", "data-door": row.name, class: "health-door" }, h("span", { class: "door-dot", "aria-hidden": "true" }), ` ${doorTitle(row.name)}`),
      h("td", {}, h("code", {}, line(row.url, 80))), cells);
    element.cells_ = cells;
    return element;
  }

  update(element, row) {
    const texts = [count(row.connections), count(row.requests), row.queued_bytes ? bytes(row.queued_bytes) : "nothing", ...[row.dropped, row.refused, row.slow_closes].map((each) => (each ? count(each) : "none"))];
    element.cells_.forEach((each, index) => say(each, texts[index]));
  }
}

export class LimitTable extends Table {
  constructor() {
    super("Limits", "Settings, and how much of each is used now; where it holds for each caller, by the one that uses most.",
      [["Setting"], ["Limit", true], ["In use", true], ["", false]]);
  }

  /** Those that are counted first, the fullest on top. */
  showSorted(rows) {
    const share = (row) => usage(row)?.share ?? -1;
    this.show([...rows].sort((a, b) => share(b) - share(a) || (a.name < b.name ? -1 : 1)));
  }

  key(row) {
    return row.name;
  }

  make(row) {
    const fill = h("span", { class: "meter-fill" });
    const meter = h("span", { class: "meter", role: "meter", "aria-label": `Use of ${line(row.name, 80)}`, "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
    const parts = { limit: cell(true), used: cell(true), meter, fill, word: h("span", { class: "soft" }) };
    const element = h("tr", {}, h("th", { scope: "row" }, h("code", {}, line(row.name, 80))), parts.limit, parts.used, h("td", { class: "meter-cell" }, meter, parts.word));
    element.parts = parts;
    return element;
  }

  update(element, row) {
    const { limit, used, meter, fill, word } = element.parts;
    const use = usage(row);
    say(limit, amount(row.value, row.unit));
    say(used, use ? amount(row.used, row.unit) : "not counted");
    mark(used, "class", use ? "number" : "number soft");
    meter.hidden = !use;
    if (!use) return say(word, "");
    const percent = Math.round(use.share * 100);
    mark(meter, "aria-valuenow", percent);
    mark(meter, "data-tone", use.tone);
    fill.style.width = `${Math.max(use.share * 100, row.used ? 1 : 0)}%`;
    say(word, `${percent} %${use.word ? `, ${use.word}` : ""}`);
  }
}
