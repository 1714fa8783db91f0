// One event in full: its sentence, its causes as a chain, its fields to copy, its data.

import { fill, h } from "../../parts/element.js";
import { count, moment } from "../../parts/format.js";
import { pretty } from "../../parts/json.js";
import { named } from "../../parts/person.js";
import { line, shown } from "../../parts/text.js";
import { doorTitle, doorsOf } from "../../room/doors.js";
import { doer, words } from "../../room/phrases.js";
import { causesOf } from "./causes.js";
import { chain } from "./chain.js";

export class Detail {
  #app;
  #asked = null;
  #onClose;

  /**
   * @param {import("../../main.js").App} app
   * @param {() => void} onClose
   */
  constructor(app, onClose) {
    this.#app = app;
    this.#onClose = onClose;
    this.body = h("div", { class: "stack" });
    this.title = h("h2", { id: "event-title" });
    this.element = h("dialog", { class: "event-dialog", "aria-labelledby": "event-title" },
      h("div", { class: "title" }, this.title, h("button", { type: "button", onclick: () => this.element.close() }, "Close")), this.body);
    this.element.addEventListener("close", () => {
      this.#asked = null;
      this.#onClose();
    });
  }

  /**
   * Show the event of an id.
   *
   * @param {string} id
   * @param {any} [known] the event, where it is at hand with its data.
   */
  async open(id, known) {
    if (this.#asked === id) return;
    this.#asked = id;
    if (!this.element.open) this.element.showModal();
    if (known) this.#show(known);
    else {
      fill(this.title, "An event");
      fill(this.body, h("p", { class: "soft" }, "Reading it…"));
      try {
        const { event } = await this.#app.call("journal.event", { id });
        if (this.#asked === id) this.#show(event);
      } catch (error) {
        if (this.#asked === id) fill(this.body, h("p", {}, error.code === "not_found" ? "The journal does not keep this event (any more)." : error.message));
      }
    }
  }

  close() {
    if (this.element.open) this.element.close();
  }

  #show(event) {
    const { room } = this.#app.live;
    const through = doorsOf(event, room).map(doorTitle).join(", ");
    const drawing = h("div", { class: "chain-place" }, h("p", { class: "soft" }, event.seq ? "Looking for what led to it…" : "It is told and not stored: nothing can be followed."));
    fill(this.title, named(doer(event)), ` ${line(words(event), 200)}`);
    fill(this.body,
      h("p", { class: "soft" }, `${moment(event.at)}${through ? `, through ${through}` : ", by the daemon"}`, event.seq ? `, event ${count(event.seq)} of the journal` : ", not stored"),
      h("section", { class: "stack" }, h("h3", {}, "What led to it, and what came of it"), drawing),
      h("section", { class: "stack" }, h("h3", {}, "Its fields"), fields(event)),
      h("section", { class: "stack" }, h("h3", {}, "Its data"), h("pre", { class: "event-data", tabindex: "0", "aria-label": "Data of the event, as JSON" }, shown(pretty(event.data), Infinity))));
    this.element.scrollTop = 0;
    if (event.seq) this.#draw(event, drawing);
  }

  async #draw(event, place) {
    try {
      const upto = this.#app.isPast ? this.#app.shell.time.seq : undefined;
      const root = await causesOf(this.#app.call, event, upto);
      if (this.#asked !== event.id) return;
      const isAlone = root.id === event.id && !root.effects.length;
      fill(place, isAlone
        ? h("p", { class: "soft" }, "Nothing that was told led to it, and nothing says that it came of it.")
        : chain(root, event.id, (other) => this.#app.navigate("now", "event", other.id)));
    } catch (error) {
      fill(place, h("p", { class: "soft" }, `Its causes cannot be read now: ${error.message}`));
    }
  }
}

function fields(event) {
  const rows = [["Id", event.id], ["Topic", event.topic], ["Kind", event.kind], ["Actor", event.actor], ["Cause", event.cause]];
  return h("dl", { class: "event-fields" }, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, h("code", {}, line(value, 300)), copying(name, value))]));
}

function copying(name, value) {
  const button = h("button", { type: "button", class: "quiet", "aria-label": `Copy ${name.toLowerCase()}`, onclick: copy }, "Copy");
  async function copy() {
    try {
      await navigator.clipboard.writeText(value);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }
  return button;
}
