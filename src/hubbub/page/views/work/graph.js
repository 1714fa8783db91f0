// What waits for what, drawn; and the same as a list.

import { fill, h, mark, say, svg } from "../../parts/element.js";
import { count, hue } from "../../parts/format.js";
import { empty } from "../../parts/empty.js";
import { line } from "../../parts/text.js";
import { draw } from "./layers.js";
import { issueLink } from "./pieces.js";

/** Issues in the drawing at most: more cannot be read, and cost too much to lay out. */
const MOST = 150;
const NODE = { width: 196, height: 46 };
const CELL = { width: 264, height: 62 };
const MARGIN = 12;
/** Scale below which titles are hard to read. */
const LEGIBLE = 0.75;
const ZOOMS = [0.4, 0.55, 0.75, 1, 1.3, 1.7];

export class Graph {
  #zoom = ZOOMS.indexOf(1);
  #isChosen = false;
  #size = { width: 0, height: 0 };
  #shows = "";
  #places = new Map();
  #again;

  /** @param {() => void} again asks for an update. */
  constructor(again) {
    this.#again = again;
    this.note = h("p", { class: "soft" });
    this.closed = h("input", { type: "checkbox", onchange: () => this.#again() });
    this.drawing = svg("svg", { class: "work-drawing", role: "group", "aria-label": "Which issues wait for which; the list below says the same", focusable: "false" });
    this.frame = h("div", { class: "work-graph-frame", tabindex: "0", role: "group", "aria-label": "Drawing, scrolls", onwheel: (event) => this.#wheel(event) }, this.drawing);
    this.list = h("ul", { class: "work-waits" });
    this.words = h("details", {}, h("summary", {}, "As a list"), this.list);
    this.none = empty("No open issue waits for another or is part of one. Open an issue and say what blocks it, and it is drawn here.");
    const button = (text, label, run) => h("button", { type: "button", "aria-label": label, title: label, onclick: run }, text);
    this.bar = h("div", { class: "row spread" }, this.#legend(),
      h("div", { class: "row" },
        h("label", { class: "row" }, this.closed, "closed ones too"),
        button("−", "Smaller", () => this.zoom(-1)), button("+", "Larger", () => this.zoom(1)), button("Fit", "Fit the drawing into its frame", () => this.fit())));
    this.element = h("div", { class: "work-graph stack" }, this.bar, this.none, this.frame, this.note, this.words);
  }

  #legend() {
    const sample = (kind) => svg("svg", { class: "work-drawing", viewBox: "0 0 34 10", width: 34, height: 10, "aria-hidden": "true" },
      svg("path", { d: "M1 5H27", class: `edge ${kind}` }), svg("path", { d: "M27 1L34 5L27 9Z", class: `tip ${kind}` }));
    return h("p", { class: "row soft work-legend" },
      h("span", { class: "row" }, sample("blocks"), "must come first"), h("span", { class: "row" }, sample("part"), "is a part of"));
  }

  /**
   * @param {Map<number, import("./model.js").Card>} cards
   * @param {(card: import("./model.js").Card) => boolean} isShown
   * @param {number | null} selected
   */
  update(cards, isShown, selected) {
    const { ids, edges, left } = this.#chosen(cards, isShown);
    this.none.hidden = ids.length > 0;
    for (const part of [this.frame, this.words]) part.hidden = ids.length === 0;
    this.note.hidden = left === 0;
    say(this.note, `${count(left)} more are not drawn: the newest ${MOST} are. Use the filter to see others.`);
    const shows = JSON.stringify([ids.map((id) => [id, cards.get(id).column, cards.get(id).issue.title, cards.get(id).lock?.holder, cards.get(id).issue.priority]), edges.map(({ from, to, kind }) => [from, to, kind])]);
    if (shows !== this.#shows) {
      this.#shows = shows;
      this.#draw(ids, edges, cards);
      this.#tell(ids, edges, cards);
    }
    for (const link of this.links()) mark(link, "aria-current", Number(link.dataset.issue) === selected ? "true" : null);
  }

  /** Choose what is drawn: issues that hang together with others, the newest first. */
  #chosen(cards, isShown) {
    const isWanted = (card) => card && isShown(card) && (this.closed.checked || card.column !== "closed");
    const all = [];
    for (const card of cards.values()) {
      if (!isWanted(card)) continue;
      for (const id of card.issue.blockers) if (isWanted(cards.get(id))) all.push({ from: id, to: card.issue.id, kind: "blocks" });
      const parent = card.issue.parent_id;
      if (parent !== null && isWanted(cards.get(parent))) all.push({ from: card.issue.id, to: parent, kind: "part" });
    }
    const linked = [...new Set(all.flatMap(({ from, to }) => [from, to]))].sort((one, other) => other - one);
    const chosen = new Set(linked.slice(0, MOST));
    const edges = all.filter(({ from, to }) => chosen.has(from) && chosen.has(to));
    return { ids: [...chosen].sort((one, other) => one - other), edges, left: linked.length - chosen.size };
  }

  #draw(ids, edges, cards) {
    const drawing = draw(ids, edges);
    this.#places = drawing.nodes;
    this.#size = { width: drawing.width * CELL.width - CELL.width + NODE.width + 2 * MARGIN, height: drawing.height * CELL.height + 2 * MARGIN };
    const x = (cell) => MARGIN + cell * CELL.width;
    const y = (cell) => MARGIN + cell * CELL.height + CELL.height / 2;
    fill(this.drawing,
      svg("g", { "aria-hidden": "true" }, drawing.edges.map(({ edge, points }) => edgeOf(edge, points, x, y))),
      ids.map((id) => nodeOf(cards.get(id), x(drawing.nodes.get(id).x), y(drawing.nodes.get(id).y))));
    mark(this.drawing, "viewBox", `0 0 ${this.#size.width} ${this.#size.height}`);
    // Until somebody chooses a size, the whole is shown if it can still be read then.
    if (this.#isChosen) this.#resize(ZOOMS[this.#zoom]);
    else this.#resize(Math.max(LEGIBLE, this.#fitting));
  }

  #tell(ids, edges, cards) {
    const before = Map.groupBy(edges.filter((edge) => edge.kind === "blocks"), (edge) => edge.to);
    fill(this.list, ids.map((id) => {
      const { issue } = cards.get(id);
      const waits = (before.get(id) ?? []).map((edge) => [" ", issueLink(edge.from)]);
      return h("li", {}, issueLink(id), " ", line(issue.title, 80),
        waits.length > 0 && [": waits for", waits], issue.parent_id !== null && [waits.length > 0 ? ", part of " : ": part of ", issueLink(issue.parent_id)]);
    }));
  }

  /** All nodes, as links. */
  links() {
    return [...this.drawing.querySelectorAll("a[data-issue]")];
  }

  link(id) {
    return this.drawing.querySelector(`a[data-issue="${Number(id)}"]`);
  }

  /** Find the node that lies nearest in some direction; parameters as of `Board.neighbour`. */
  neighbour(from, right, down) {
    const here = this.#places.get(Number(from?.dataset.issue));
    if (!here) return this.links()[0] ?? null;
    let best = null;
    for (const [id, there] of this.#places) {
      const [dx, dy] = [there.x - here.x, there.y - here.y];
      const ahead = dx * right + dy * down;
      if (ahead <= 0.01) continue;
      const cost = ahead + 3 * Math.abs(right ? dy : dx);
      if (!best || cost < best.cost) best = { id, cost };
    }
    return best ? this.link(best.id) : from;
  }

  zoom(by) {
    this.#isChosen = true;
    this.#zoom = Math.min(ZOOMS.length - 1, Math.max(0, this.#zoom + by));
    this.#resize(ZOOMS[this.#zoom]);
  }

  fit() {
    this.#isChosen = false;
    this.#resize(Math.max(0.2, this.#fitting));
  }

  /** The scale at which the whole drawing is seen, at most its own size. */
  get #fitting() {
    return Math.min(1, (this.frame.clientWidth - 4) / this.#size.width, (this.frame.clientHeight - 4) / this.#size.height);
  }

  #wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? 1 : -1);
  }

  #resize(scale) {
    mark(this.drawing, "width", Math.round(this.#size.width * scale));
    mark(this.drawing, "height", Math.round(this.#size.height * scale));
  }
}

function edgeOf({ kind, isBack }, points, x, y) {
  // Where an edge passes by a layer it goes straight, so that it bends only between layers.
  let path = `M${x(points[0].x) + NODE.width} ${y(points[0].y)}`;
  for (let i = 1; i < points.length; i += 1) {
    const [from, to] = [points[i - 1], points[i]];
    const isLast = i === points.length - 1;
    const [startX, endX] = [x(from.x) + NODE.width, x(to.x) - (isLast ? 7 : 0)];
    const middle = (startX + endX) / 2;
    path += `C${middle} ${y(from.y)} ${middle} ${y(to.y)} ${endX} ${y(to.y)}${isLast ? "" : `h${NODE.width}`}`;
  }
  const end = points.at(-1);
  const tip = `M${x(end.x) - 8} ${y(end.y) - 4}L${x(end.x) - 1} ${y(end.y)}L${x(end.x) - 8} ${y(end.y) + 4}Z`;
  // Where issues wait in a circle, one edge runs against the order and has its tip on the left.
  const back = `M${x(points[0].x) + NODE.width + 8} ${y(points[0].y) - 4}l-7 4l7 4Z`;
  return [svg("path", { d: path, class: `edge ${kind}` }), svg("path", { d: isBack ? back : tip, class: `tip ${kind}` })];
}

function nodeOf(card, x, y) {
  const { issue, lock, column } = card;
  const top = y - NODE.height / 2;
  const words = `#${issue.id} ${line(issue.title, 120)}, ${issue.priority}, ${lock ? `held by ${line(lock.holder, 60)}` : column}`;
  const holder = lock && svg("circle", { cx: x + NODE.width - 13, cy: top + 13, r: 5, class: "holder" });
  if (holder) holder.style.setProperty("--hue", hue(lock.holder));
  return svg("a", { href: `#/work/${issue.id}`, "data-issue": issue.id, "aria-label": words, class: "node", "data-column": column },
    svg("title", {}, words),
    svg("rect", { x, y: top, width: NODE.width, height: NODE.height, rx: 8, class: "box" }),
    svg("rect", { x, y: top + 8, width: 3, height: NODE.height - 16, rx: 1.5, class: "stripe", "data-priority": issue.priority }),
    // A drawing within the drawing cuts off what is too long.
    svg("svg", { x: x + 13, y: top, width: NODE.width - 20, height: NODE.height },
      svg("text", { x: 0, y: 18, class: "number" }, `#${issue.id} · ${lock && column === "working" ? line(lock.holder, 20) : column}`),
      svg("text", { x: 0, y: 35 }, issue.title.length > 24 ? `${line(issue.title.slice(0, 22))}…` : line(issue.title))),
    holder);
}
