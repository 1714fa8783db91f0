// The list of topics: a row each, with a chart of the last minutes.

import { Sparkline } from "../../parts/chart.js";
import { h, keep, mark, say } from "../../parts/element.js";
import { ago, count } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { behind, briefly, subject } from "../../room/phrases.js";
import { POINTS } from "../../room/rates.js";

/** Rows in the page before somebody asks for more. */
const FIRST = 60;
/** From here on the daemon counts no further. */
const COUNTED = 1000;

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {{events: number, last_at: number} | null} stored what the journal said when it was read.
 * @property {ReturnType<import("../../room/rates.js").Rates["of"]>} lately
 * @property {number} since events stored since the journal was read.
 */

export class TopicTable {
  #limit = FIRST;
  #onChoose;

  /**
   * @param {string} caption
   * @param {string} counted what the column of counts says.
   * @param {(name: string) => void} onChoose
   * @param {() => void} onMore
   */
  constructor(caption, counted, onChoose, onMore) {
    this.#onChoose = onChoose;
    this.rows = h("tbody", {});
    this.table = h("table", { class: "figures topics-table" },
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Topic"), h("th", { scope: "col", class: "topics-chart" }, "3 minutes"),
        h("th", { scope: "col", class: "number" }, "Now"), h("th", { scope: "col", class: "number" }, counted), h("th", { scope: "col", class: "topics-last" }, "Last event"))),
      this.rows);
    this.more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => {
      this.#limit *= 3;
      onMore();
    } });
    this.element = h("div", { class: "stack" }, this.table, this.more);
  }

  /**
   * @param {Row[]} rows in their order.
   * @param {string | null} chosen
   * @param {number} now
   */
  show(rows, chosen, now) {
    this.more.hidden = rows.length <= this.#limit;
    say(this.more, `Show more of ${count(rows.length)} topics`);
    keep(this.rows, rows.slice(0, this.#limit), {
      key: (row) => row.name,
      make: (row) => this.#row(row),
      update: (element, row) => update(element, row, chosen, now),
    });
  }

  #row({ name }) {
    const spark = new Sparkline(POINTS);
    const button = h("button", { type: "button", class: "topic-name", onclick: () => this.#onChoose(name) }, line(name, 120));
    const parts = {
      spark, button,
      rate: h("td", { class: "number" }), events: h("td", { class: "number" }),
      last: h("span", { class: "topic-last" }), at: h("span", { class: "soft" }),
    };
    const element = h("tr", {}, h("th", { scope: "row" }, button), h("td", { class: "topics-chart" }, spark.element), parts.rate, parts.events,
      h("td", { class: "topics-last" }, parts.last, parts.at));
    element.parts = parts;
    return element;
  }

  /** Move the selection; gives the name that is chosen then. */
  neighbour(chosen, by) {
    const buttons = [...this.rows.querySelectorAll(".topic-name")];
    const at = buttons.findIndex((each) => each.getAttribute("aria-pressed") === "true");
    if (at < 0 && !chosen) return buttons[0];
    return at < 0 ? null : buttons[at + by] ?? null;
  }
}

function update(element, { name, stored, lately, since }, chosen, now) {
  const { spark, button, rate, events, last, at } = element.parts;
  const isChosen = name === chosen;
  mark(button, "aria-pressed", String(isChosen));
  mark(element, "data-chosen", isChosen);
  spark.draw(lately.points, 3);
  mark(spark.element, "data-quiet", !lately.total);
  say(rate, lately.perSecond ? `${lately.perSecond < 10 ? lately.perSecond.toFixed(1) : count(lately.perSecond)}/s` : "–");
  say(events, stored ? (stored.events >= COUNTED ? `${count(COUNTED)}+` : count(stored.events + since)) : count(lately.total));
  const newest = lately.last;
  say(last, newest ? `${subject(newest)}${behind(newest.text ?? briefly(newest))}` : "");
  say(at, newest ? "" : (stored ? ago(stored.last_at, now) : "silent so far"));
}
