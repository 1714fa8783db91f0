// The newest events of one topic, flowing; it stands still while somebody reads.

import { empty } from "../../parts/empty.js";
import { fill, h, say } from "../../parts/element.js";
import { count } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { briefly, words } from "../../room/phrases.js";
import { River, showWaiting } from "../now/river.js";
import { matcherOf } from "../now/filters.js";

/** Events that are looked through for the first lines: of the whole journal, in steps. */
const STEPS = [200, 1000, 10_000];
const ENOUGH = 30;
const PAGE = 1000;

export class Tail {
  #app;
  #pattern = null;
  #matches = () => false;
  #reading = 0;

  /** @param {import("../../main.js").App} app */
  constructor(app) {
    this.#app = app;
    this.river = new River({ open: (entry) => this.#open(entry), change: () => this.#changed(), say: (event) => (this.#pattern?.endsWith("/*") ? words(event) : briefly(event)) });
    this.river.list.classList.add("tail-lines");
    this.title = h("h3", { id: "tail-title" });
    this.waiting = h("span", { class: "chip warn", hidden: true });
    this.pause = h("button", { type: "button", "aria-pressed": "false", onclick: () => this.pin() }, "Pause");
    this.note = h("div", {});
    this.element = h("section", { class: "card river", "aria-labelledby": "tail-title" },
      h("div", { class: "river-bar" }, this.title, this.waiting, this.pause), this.note, this.river.list);
  }

  /**
   * Follow a topic, or all of a prefix.
   *
   * @param {string} pattern
   * @param {import("../../room/fold.js").Room} room
   * @param {number | null} lastSeq of its newest event, where it is known.
   */
  async follow(pattern, room, lastSeq) {
    this.#pattern = pattern;
    this.#matches = matcherOf(pattern);
    fill(this.title, "Tail of ", h("span", { class: "mono" }, line(pattern, 80)));
    this.river.reset([], room);
    fill(this.note, h("p", { class: "soft tail-note" }, "Reading…"));
    const reading = (this.#reading += 1);
    try {
      const events = await this.#newest(pattern, room, lastSeq, () => reading === this.#reading);
      if (reading !== this.#reading) return;
      this.river.before(events, room);
      fill(this.note);
      this.#changed();
    } catch (error) {
      if (reading === this.#reading) this.#app.failed(error);
    }
  }

  /** The journal is read forwards only: look a little back, then further, until there is enough. */
  async #newest(pattern, room, lastSeq, isWanted) {
    const { epoch, seq } = room.position;
    const end = Math.min(seq, lastSeq ?? seq);
    let events = [];
    for (const step of STEPS) {
      let after = { epoch, seq: Math.max(0, end - step) };
      const found = [];
      for (let isMore = true; isMore && isWanted();) {
        const page = await this.#app.call("journal.read", { topics: [pattern], after, limit: Math.min(step, PAGE) });
        found.push(...page.events.filter((event) => event.seq <= seq));
        found.splice(0, found.length - 200);
        isMore = page.more && page.position.seq < seq;
        after = page.position;
      }
      events = found;
      if (events.length >= ENOUGH || end <= step) break;
    }
    return events;
  }

  take(event, room) {
    if (this.#pattern !== null && event.seq && this.#matches(event.topic)) this.river.add(event, room);
  }

  pin() {
    const isPinned = !this.river.isPinned;
    this.river.pin(isPinned);
    this.pause.setAttribute("aria-pressed", String(isPinned));
    say(this.pause, isPinned ? "Flow on" : "Pause");
  }

  #changed() {
    showWaiting(this.waiting, this.river);
    const isBare = this.river.isEmpty && !this.note.textContent.startsWith("Reading");
    if (isBare && !this.note.firstElementChild) fill(this.note, empty(`Nothing of it among the newest ${count(STEPS.at(-1))} events. What comes next will be shown.`));
    else if (!this.river.isEmpty) fill(this.note);
  }

  #open(entry) {
    this.#app.navigate("now", "event", entry.event.id);
  }

  close() {
    this.#reading += 1;
    this.river.close();
  }
}
