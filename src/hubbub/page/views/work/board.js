// The board: a column per state, a card per issue.

import { fill, h, keep, mark, say } from "../../parts/element.js";
import { count } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { COLUMNS } from "./model.js";
import { agentChip, countdown, issueLink, priorityMark } from "./pieces.js";

/** Cards of a column that are shown before somebody asks for more. */
const PAGE = 40;

export class Board {
  #columns = new Map();
  #last = null;

  constructor() {
    this.element = h("div", { class: "work-board" }, COLUMNS.map((column) => this.#column(column)));
  }

  #column({ name, title, hint }) {
    const parts = {
      most: PAGE,
      number: h("span", { class: "soft number" }),
      list: h("ul", { class: "work-cards", "aria-label": title }),
      more: h("button", { type: "button", class: "quiet", hidden: true, onclick: () => this.#showMore(parts) }),
      nothing: h("p", { class: "soft work-nothing" }, hint),
    };
    this.#columns.set(name, parts);
    return h("section", { class: "work-column", "data-column": name },
      h("h3", {}, title, parts.number), parts.list, parts.nothing, parts.more);
  }

  #showMore(parts) {
    parts.most += PAGE;
    this.update(...this.#last);
  }

  /**
   * @param {Map<string, import("./model.js").Card[]>} columns
   * @param {(card: import("./model.js").Card) => boolean} isShown
   * @param {number | null} selected the issue that is open.
   */
  update(columns, isShown, selected) {
    this.#last = [columns, isShown, selected];
    for (const [name, parts] of this.#columns) {
      const cards = (columns.get(name) ?? []).filter(isShown);
      say(parts.number, count(cards.length));
      parts.nothing.hidden = cards.length > 0;
      parts.more.hidden = cards.length <= parts.most;
      if (!parts.more.hidden) say(parts.more, `Show ${count(Math.min(PAGE, cards.length - parts.most))} more`);
      keep(parts.list, cards.slice(0, parts.most), { key: (card) => String(card.issue.id), make, update });
    }
    for (const link of this.links()) mark(link, "aria-current", Number(link.dataset.issue) === selected ? "true" : null);
  }

  /** All links of cards, column by column. */
  links() {
    return [...this.element.querySelectorAll("a.work-card-link")];
  }

  /** The link of an issue's card. */
  link(id) {
    return this.element.querySelector(`a.work-card-link[data-issue="${Number(id)}"]`);
  }

  /**
   * Find the card that lies in some direction of another.
   *
   * @param {Element | null} from a card's link.
   * @param {number} right columns to the right.
   * @param {number} down cards further down.
   */
  neighbour(from, right, down) {
    const columns = [...this.#columns.values()].map(({ list }) => [...list.querySelectorAll("a.work-card-link")]);
    const filled = columns.filter((links) => links.length);
    const x = filled.findIndex((links) => links.includes(from));
    if (x < 0) return filled[0]?.[0] ?? null;
    const column = filled[Math.min(filled.length - 1, Math.max(0, x + right))];
    const y = filled[x].indexOf(from) + down;
    return column[Math.min(column.length - 1, Math.max(0, y))];
  }
}

function make({ issue }) {
  const link = issueLink(issue.id, "", { class: "work-card-link", "data-issue": issue.id });
  const title = h("span", { class: "work-title", "data-field": "title" });
  link.append(h("span", { class: "soft number", "data-field": "number" }, `#${issue.id}`), " ", title);
  const card = h("li", { class: "work-card", "data-row": `issue:${issue.id}` }, link);
  card.parts = { title, link, mark: null, facts: h("div", { class: "work-facts" }) };
  card.append(card.parts.facts);
  return card;
}

function update(element, card) {
  const { issue, lock, queue, open, children, column } = card;
  // Rows are replaced, never changed, so what is the same object shows the same.
  const shows = [issue, lock, queue.length, open.join(), children.length && children.map((each) => each.status).join(), column];
  if (element.shows?.every((value, index) => value === shows[index])) return;
  element.shows = shows;
  mark(element, "data-state", column);
  mark(element, "data-priority", issue.priority);
  say(element.parts.title, line(issue.title));
  fill(element.parts.facts,
    priorityMark(issue.priority),
    lock && [agentChip(lock.holder, "holder"), h("span", { class: "soft", title: "number of the grant" }, "fence ", h("span", { "data-field": "fence" }, lock.fence)), countdown(lock.expires_at)],
    queue.length > 0 && h("span", { class: "chip warn", "data-field": "waiting" }, `${queue.length} waiting`),
    open.length > 0 && h("span", { class: "chip warn", title: "open issues that block this one" },
      "needs ", h("span", { "data-field": "blockers" }, some(open))),
    children.length > 0 && h("span", { class: "soft", title: "subissues that are closed", "data-field": "subissues" },
      `${children.filter((child) => child.status !== "open").length}/${children.length} done`),
    issue.parent_id !== null && h("span", { class: "soft" }, "in ", h("span", { "data-field": "parent" }, `#${issue.parent_id}`)),
    h("span", { class: "work-labels", "data-field": "labels" }, issue.labels.slice(0, 4).map((label) => [h("span", { class: "work-label" }, line(label, 30)), " "]),
      issue.labels.length > 4 && h("span", { class: "soft" }, `+${issue.labels.length - 4}`)));
}

function some(numbers) {
  const first = numbers.slice(0, 4).map((id) => `#${id}`).join(" ");
  return numbers.length > 4 ? `${first} +${numbers.length - 4}` : first;
}
