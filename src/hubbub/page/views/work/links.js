// Labels, blockers and subissues of the open issue.

import { fill, h } from "../../parts/element.js";
import { line } from "../../parts/text.js";
import { askNew } from "./new-issue.js";
import { issueLink } from "./pieces.js";

/** Links and labels that are shown at most. */
const MOST = 60;

export class Links {
  #app;
  #acts;
  #isLocked = false;

  /**
   * @param {import("../../main.js").App} app
   * @param {import("./acts.js").Acts} acts
   */
  constructor(app, acts) {
    this.#app = app;
    this.#acts = acts;
    /** @type {import("./model.js").Card | null} */
    this.card = null;
    this.labels = h("div", { class: "row work-chips" });
    this.blockers = h("ul", { class: "work-links" });
    this.blocking = h("ul", { class: "work-links" });
    this.children = h("ul", { class: "work-links" });
    this.forms = [
      this.#form("New label", "text", (value) => this.#write("issues.label", { label: value })),
      this.#form("Number of an issue", "number", (value) => this.#write("issues.block", { blocker_id: Number(value) })),
    ];
    this.sub = h("button", { type: "button", onclick: () => askNew(app, acts, this.card.issue.id) }, "Add a subissue");
    const part = (title, ...content) => h("section", { class: "work-part" }, h("h3", {}, title), content);
    this.blockingPart = part("Blocks", this.blocking);
    this.element = h("div", { class: "stack" },
      part("Labels", this.labels, this.forms[0]), part("Blocked by", this.blockers, this.forms[1]), this.blockingPart, part("Subissues", this.children, this.sub));
  }

  #form(label, type, run) {
    const input = h("input", { type, min: type === "number" ? 1 : null, required: true, "aria-label": label, placeholder: type === "number" ? "Issue number" : label, autocomplete: "off" });
    return h("form", { class: "row work-add", onsubmit: async (event) => {
      event.preventDefault();
      if (await run(input.value)) input.value = "";
    } }, input, h("button", { type: "submit" }, "Add"));
  }

  #write(method, params) {
    return this.#app.told(this.#acts.write(method, this.card.issue.id, params));
  }

  update(card, cards, isLocked) {
    this.card = card;
    this.#isLocked = isLocked;
    const { issue } = card;
    for (const form of this.forms) form.hidden = isLocked;
    this.sub.hidden = isLocked;
    fill(this.labels, issue.labels.slice(0, MOST).map((label) => h("span", { class: "work-label" }, h("span", { "data-field": "label" }, line(label, 60)),
      this.#remove(`Take the label ${line(label, 40)} off`, () => this.#write("issues.unlabel", { label })))),
    issue.labels.length === 0 && h("span", { class: "soft" }, "none"), more(issue.labels));
    const blocking = [...cards.values()].filter((each) => each.issue.blockers.includes(issue.id)).map((each) => each.issue.id);
    fill(this.blockers, this.#items(issue.blockers, cards, (id) => this.#remove(`Let it no longer wait for #${id}`, () => this.#write("issues.unblock", { blocker_id: id }))));
    this.blockingPart.hidden = blocking.length === 0;
    fill(this.blocking, this.#items(blocking, cards));
    fill(this.children, this.#items(card.children.map((child) => child.id), cards));
  }

  #items(ids, cards, end = () => null) {
    if (ids.length === 0) return h("li", { class: "soft" }, "none");
    return [ids.slice(0, MOST).map((id) => {
      const issue = cards.get(id)?.issue;
      const isDone = issue && issue.status !== "open";
      return h("li", { class: isDone ? "done" : null }, h("span", { "aria-hidden": "true" }, isDone ? "✓ " : "○ "), issueLink(id), " ", line(issue?.title ?? "", 90),
        isDone && h("span", { class: "hidden-visually" }, " (closed)"), end(id));
    }), more(ids)];
  }

  #remove(label, run) {
    return this.#isLocked ? null : h("button", { type: "button", class: "quiet work-remove", "aria-label": label, title: label, onclick: run }, "✕");
  }
}

const more = (all) => all.length > MOST && h("span", { class: "soft" }, `and ${all.length - MOST} more`);
