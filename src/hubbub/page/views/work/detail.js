// One issue with everything that hangs on it, and what can be done with it.

import { fill, h, mark, say } from "../../parts/element.js";
import { moment } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { ask } from "./ask.js";
import { History } from "./history.js";
import { LockBox } from "./lock-box.js";
import { Links } from "./links.js";
import { PRIORITIES } from "./new-issue.js";
import { issueLink, priorityMark, stateChip } from "./pieces.js";
import { Talk, longText } from "./talk.js";

/** An issue of which only the room's row is known. */
const NOT_YET = { description: null, comments: [] };

export class Detail {
  #app;
  #acts;
  #id = null;
  #read = null;
  #reading = 0;
  #shows = [];

  /**
   * @param {import("../../main.js").App} app
   * @param {import("./acts.js").Acts} acts
   * @param {{close: () => void}} on
   */
  constructor(app, acts, on) {
    this.#app = app;
    this.#acts = acts;
    this.head = h("div", { class: "work-detail-head" });
    this.description = h("div", { class: "work-description" });
    this.lock = new LockBox(app, acts);
    this.links = new Links(app, acts);
    this.talk = new Talk(app, acts);
    this.history = new History(app);
    this.body = h("div", { class: "stack" }, this.head, this.lock.element, this.description, this.links.element, this.talk.element, this.history.element);
    this.gone = h("p", { class: "soft", hidden: true });
    this.title = h("h2", { id: "work-detail-title", tabindex: "-1" });
    this.element = h("aside", { class: "work-detail", "aria-labelledby": "work-detail-title", hidden: true },
      h("div", { class: "row spread work-detail-top" }, this.title,
        h("button", { type: "button", class: "quiet", "aria-label": "Close the issue", onclick: on.close }, "✕")),
      this.gone, this.body);
  }

  /** The number of the issue that is shown, or null. */
  get id() {
    return this.#id;
  }

  /** Show an issue, or none. */
  open(id) {
    if (id === this.#id) return;
    this.#id = id;
    this.#read = null;
    this.#shows = [];
    this.element.hidden = id === null;
    this.talk.clear();
    this.history.close();
    this.element.scrollTop = 0;
  }

  /**
   * @param {import("../index.js").Change} change
   * @param {Map<number, import("./model.js").Card>} cards
   */
  update(change, cards) {
    if (this.#id === null) return;
    const card = cards.get(this.#id);
    if (card && (change.isReset || this.#read === null)) this.#load(change);
    for (const event of change.events) this.#hear(event, change);
    this.history.update(this.#id, change);
    this.gone.hidden = Boolean(card);
    this.body.hidden = !card;
    mark(this.element, "data-row", card ? `detail:${this.#id}` : null);
    if (!card) {
      say(this.title, `#${this.#id}`);
      say(this.gone, change.isPast ? "There was no such issue at that time." : "There is no such issue: it was deleted, or never opened.");
      return;
    }
    this.lock.update(card, change);
    const shows = [card.issue, card.open.length, card.column, card.children, this.#read, change.isLocked];
    if (shows.every((value, index) => value === this.#shows[index])) return;
    this.#shows = shows;
    this.#show(card, change.isLocked, cards);
  }

  #show(card, isLocked, cards) {
    const { issue } = card;
    fill(this.title, h("span", { class: "soft number" }, `#${issue.id}`), " ", h("span", { "data-field": "title" }, line(issue.title, 300)));
    const button = (text, run, props = {}) => h("button", { type: "button", disabled: isLocked, onclick: run, ...props }, text);
    fill(this.head,
      h("div", { class: "row" }, stateChip(card), priorityMark(issue.priority), h("span", { class: "soft", "aria-hidden": "true" }, issue.priority),
        issue.parent_id !== null && h("span", { class: "soft" }, "part of ", issueLink(issue.parent_id))),
      h("p", { class: "soft" }, "opened ", h("span", { "data-field": "created" }, moment(issue.created_at)),
        issue.closed_at !== null && [", closed ", h("span", { "data-field": "closed" }, moment(issue.closed_at))]),
      h("div", { class: "row" }, button("Edit", () => this.edit()),
        button(issue.status === "open" ? "Close issue" : "Reopen", () => this.toggle(issue)),
        button("Delete", () => this.remove(card), { class: "danger" })));
    fill(this.description, this.#read === NOT_YET ? h("p", { class: "soft" }, "Reading…")
      : this.#read.description ? longText("Description", this.#read.description, "description")
        : h("p", { class: "soft" }, "No description."));
    this.links.update(card, cards, isLocked);
    this.talk.update(this.#id, this.#read.comments, isLocked);
  }

  /** What an event says of this issue that the room does not keep. */
  #hear({ kind, data }, change) {
    if (kind !== "issue.changed" || data.issue_id !== this.#id || this.#read === null) return;
    if (data.field === "comments") {
      if (!data.comment) this.#load(change);
      else if (!this.#read.comments.some((each) => each.id === data.comment.id)) {
        this.#read = { ...this.#read, comments: [...this.#read.comments, data.comment] };
      }
    } else if (data.description !== undefined) this.#read = { ...this.#read, description: data.description };
    else if (data.field === "updated") this.#load(change);
  }

  async #load({ room, isPast }) {
    const turn = ++this.#reading;
    const id = this.#id;
    this.#read ??= NOT_YET;
    try {
      const read = await this.#app.call("issues.get", { id, ...(isPast ? { at: room.position } : {}) });
      if (turn !== this.#reading || id !== this.#id) return;
      this.#read = read;
      this.#app.shell.refresh();
    } catch (error) {
      if (turn === this.#reading && error.code !== "not_found") this.#app.failed(error);
    }
  }

  edit() {
    const { issue } = this.links.card;
    ask({
      title: `Edit #${issue.id}`, does: "Save",
      fields: [
        { name: "title", label: "Title", value: issue.title, needed: true },
        { name: "description", label: "Description", kind: "area", value: this.#read?.description ?? "" },
        { name: "priority", label: "Priority", kind: "choice", choices: PRIORITIES, value: issue.priority },
      ],
      run: (values) => this.#acts.write("issues.update", issue.id, values),
    });
  }

  /** Close an open issue, open a closed one. */
  toggle(issue) {
    return this.#app.told(this.#acts.write(issue.status === "open" ? "issues.close" : "issues.reopen", issue.id));
  }

  remove({ issue, children, lock }) {
    const more = [children.length > 0 && `its ${children.length} subissues and all below them`, lock && `the lock of ${line(lock.holder, 60)}`].filter(Boolean);
    ask({
      title: `Delete #${issue.id} for good?`,
      text: `“${line(issue.title, 100)}” goes with its comments, labels and blockers${more.length ? `, and with ${more.join(" and ")}` : ""}. Its number is never used again. Closing it instead keeps all that.`,
      does: "Delete", isDanger: true,
      run: () => this.#acts.write("issues.delete", issue.id),
    });
  }
}
