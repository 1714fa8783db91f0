// The comments of the open issue.

import { showWhole } from "../../parts/dialogs.js";
import { fill, h, keep } from "../../parts/element.js";
import { count, moment } from "../../parts/format.js";
import { line, shown } from "../../parts/text.js";
import { agentChip } from "./pieces.js";

/** Comments that are shown before somebody asks for more. */
const PAGE = 30;
/** Characters of a text in its place. */
const SHORT = 3000;
const KINDS = ["note", "plan", "decision", "observation", "blocker", "resolution", "result", "handoff", "human"];

/** A text as it was written, with a way to see more of a long one. */
export function longText(title, text, field) {
  const more = text.length > SHORT && h("button", { type: "button", class: "quiet", onclick: () => showWhole(title, text) }, "See more of it");
  return h("div", { class: "work-text" }, h("div", { class: "work-words", "data-field": field }, shown(text, SHORT)), more);
}

export class Talk {
  #app;
  #acts;
  #id = null;
  #most = PAGE;
  #comments = [];

  /**
   * @param {import("../../main.js").App} app
   * @param {import("./acts.js").Acts} acts
   */
  constructor(app, acts) {
    this.#app = app;
    this.#acts = acts;
    this.list = h("ol", { class: "work-comments" });
    this.earlier = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => this.#showMore() });
    this.text = h("textarea", { id: "work-comment", rows: 3, required: true, placeholder: "What others should know" });
    this.kind = h("select", { "aria-label": "Kind of comment" }, KINDS.map((kind) => h("option", { value: kind }, kind)));
    this.form = h("form", { class: "stack", onsubmit: (event) => this.#send(event) },
      h("label", { for: "work-comment", class: "hidden-visually" }, "Comment"), this.text,
      h("div", { class: "row" }, this.kind, h("button", { type: "submit", class: "main" }, "Comment")));
    this.form.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && this.form.requestSubmit());
    this.element = h("section", { class: "work-part" }, h("h3", {}, "Comments"), this.earlier, this.list, this.form);
  }

  clear() {
    this.text.value = "";
    this.#most = PAGE;
    fill(this.list);
    this.list.keptByKey = undefined;
  }

  async #send(event) {
    event.preventDefault();
    const id = this.#id;
    const sent = await this.#app.told(this.#acts.write("issues.comment", id, { content: this.text.value, kind: this.kind.value }));
    if (sent && id === this.#id) this.text.value = "";
  }

  #showMore() {
    this.#most += PAGE;
    this.#show();
  }

  update(id, comments, isLocked) {
    this.#id = id;
    this.#comments = comments;
    this.form.hidden = isLocked;
    this.#show();
  }

  #show() {
    const left = this.#comments.length - this.#most;
    this.earlier.hidden = left <= 0;
    this.earlier.textContent = `Show ${count(Math.min(PAGE, left))} of ${count(left)} earlier ones`;
    keep(this.list, this.#comments.slice(-this.#most), { key: (comment) => String(comment.id), make: made });
  }
}

function made(comment) {
  return h("li", { class: "work-comment", "data-row": `comment:${comment.id}` },
    h("div", { class: "row" }, agentChip(comment.author, "author"), h("span", { class: "chip", "data-field": "kind" }, line(comment.kind)),
      comment.trigger_type && h("span", { class: "soft" }, line(comment.trigger_type, 60)),
      h("time", { class: "soft" }, moment(comment.created_at))),
    longText(`Comment of ${line(comment.author, 60)}`, comment.content, "content"),
    comment.intervention_context && longText("Context", comment.intervention_context, "context"));
}
