// The lock of the open issue: who holds it, how long still, and what this person can do.

import { fill, h, mark } from "../../parts/element.js";
import { clock } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { LEASES } from "./acts.js";
import { agentChip, countdown } from "./pieces.js";

export class LockBox {
  #app;
  #acts;
  #card = null;
  #shows = "";

  /**
   * @param {import("../../main.js").App} app
   * @param {import("./acts.js").Acts} acts
   */
  constructor(app, acts) {
    this.#app = app;
    this.#acts = acts;
    this.state = h("div", { class: "stack" });
    this.name = h("input", { id: "work-claim-as", type: "text", maxlength: 200, autocomplete: "off", spellcheck: "false", onchange: () => (acts.name = this.name.value) });
    this.lease = h("select", { id: "work-lease", onchange: () => (acts.leaseMs = Number(this.lease.value)) },
      LEASES.map(([label, ms]) => h("option", { value: ms }, label)));
    this.lease.value = String(acts.leaseMs);
    this.buttons = h("div", { class: "row" });
    this.how = h("div", { class: "work-how" },
      h("span", { class: "row" }, h("label", { for: "work-claim-as" }, "as"), this.name),
      h("span", { class: "row" }, h("label", { for: "work-lease" }, "for"), this.lease));
    this.act = h("div", { class: "row" }, this.buttons, this.how);
    this.element = h("section", { class: "card stack work-lock", "aria-label": "Lock" }, this.state, this.act);
  }

  /**
   * @param {import("./model.js").Card} card
   * @param {import("../index.js").Change} change
   */
  update(card, { room, isPast, isLocked }) {
    this.#card = card;
    const { lock, queue, issue } = card;
    const mine = isPast ? "none" : this.#acts.state(room, issue.id);
    const shows = JSON.stringify([lock, queue, mine, this.#acts.grants.get(issue.id), this.#acts.name, issue.status, isLocked]);
    if (shows === this.#shows) return;
    this.#shows = shows;
    if (document.activeElement !== this.name) this.name.value = this.#acts.name;
    mark(this.element, "data-mine", mine);
    this.act.hidden = isLocked;
    fill(this.state, this.#said(lock, queue, mine), mine === "ended" && this.#ended(lock));
    fill(this.buttons, isLocked ? [] : this.#choices(card, mine));
  }

  #said(lock, queue, mine) {
    if (!lock) return h("p", {}, h("strong", {}, "Free."), " Nobody holds the lock of this issue.");
    return [
      h("p", { class: "row" }, h("strong", {}, mine === "good" ? "Yours:" : "Held by"), agentChip(lock.holder, "holder"),
        h("span", {}, "fence ", h("span", { class: "number", "data-field": "fence" }, lock.fence)), countdown(lock.expires_at)),
      h("p", { class: "soft" }, "since ", h("span", { "data-field": "since" }, clock(lock.claimed_at)),
        mine === "good" && ". What you change here is written under this fence."),
      queue.length > 0 && h("p", { class: "row" }, h("span", { class: "soft" }, "Next in the queue:"), queue.slice(0, 8).map((wait) => agentChip(wait.agent, "waits")),
        queue.length > 8 && h("span", { class: "soft" }, `and ${queue.length - 8} more`)),
    ];
  }

  /** The grant that this tab remembers is worth nothing any more: say so, and what to do. */
  #ended(lock) {
    const { fence } = this.#acts.grants.get(this.#card.issue.id);
    const who = lock ? `${line(lock.holder, 60)} holds the lock now, with fence ${lock.fence}` : "nobody holds the lock now";
    return h("div", { class: "work-ended", role: "status" },
      h("p", {}, h("strong", {}, `Your claim has ended: fence ${fence} is stale; ${who}.`)),
      h("p", {}, lock ? "What you change here is refused, so that you do not overwrite that work. Take the lock back, or leave it and write without one."
        : "What you change here is refused until you claim the issue again, or write without a lock."));
  }

  #choices({ issue, lock }, mine) {
    const { id } = issue;
    const told = (run) => () => this.#app.told(run());
    const button = (text, run, kind = "") => h("button", { type: "button", class: kind, onclick: run }, text);
    const free = lock === undefined;
    return [
      free && button(mine === "ended" ? "Claim again" : "Claim", told(() => this.#acts.claim(id)), "main"),
      mine === "good" && [button("Renew", told(() => this.#acts.renew(id)), "main"), button("Release", told(() => this.#acts.release(id)))],
      !free && mine !== "good" && button(mine === "ended" ? "Take it back…" : "Steal…", () => this.#acts.steal(lock, (name) => line(name, 60)), "danger"),
      mine === "ended" && button("Write without a lock", () => this.#acts.forget(id)),
    ];
  }

  /** Claim, or say why not. */
  claim() {
    const { lock, issue } = this.#card;
    if (!lock) return this.#app.told(this.#acts.claim(issue.id));
    if (this.element.dataset.mine === "good") return this.#app.told(this.#acts.renew(issue.id));
    return this.#acts.steal(lock, (name) => line(name, 60));
  }
}
