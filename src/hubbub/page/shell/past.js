// Time travel: which position is shown, and the bar on which it is chosen.

import { h, mark, say } from "../parts/element.js";
import { moment } from "../parts/format.js";
import { roomOf } from "../room/fold.js";

/** Events that one press of an arrow key goes. */
const STEP = 1;

export class TimeBar {
  #wanted = null;
  #loading = false;
  #app;
  #onChange;

  /**
   * @param {object} app
   * @param {(room: import("../room/fold.js").Room | null) => void} onChange `null`: the room is live.
   */
  constructor(app, onChange) {
    this.#app = app;
    this.#onChange = onChange;
    this.slider = h("input", {
      type: "range", id: "when", min: "0", max: "0", value: "0", step: String(STEP),
      "aria-label": "Position in the journal", oninput: () => this.go(Number(this.slider.value)),
    });
    this.output = h("output", { for: "when" });
    this.now = h("button", { type: "button", onclick: () => this.go(null), disabled: true }, "Now");
    this.element = h("div", { class: "time-bar", role: "group", "aria-label": "Time travel" },
      h("label", { for: "when" }, "Time travel"), this.slider, this.output, this.now);
    const keys = app.keys;
    keys.add("Time travel", "t", "go to the slider", () => this.slider.focus());
    keys.add("Time travel", "[", "one event back", () => this.step(-1));
    keys.add("Time travel", "]", "one event on", () => this.step(1));
    keys.add("Time travel", "0", "back to now", () => this.go(null));
  }

  /** The past position that is shown or asked for; `null`: now. */
  get seq() {
    return this.#wanted;
  }

  step(by) {
    const newest = this.#app.live.room.position.seq;
    const to = (this.#wanted ?? newest) + by;
    this.go(to >= newest ? null : Math.max(0, to));
  }

  /** Show the room as it was after an event; `null` or the newest: as it is. */
  go(seq) {
    const newest = this.#app.live.room?.position.seq ?? Infinity;
    this.#wanted = seq === null || seq >= newest ? null : seq;
    if (this.#wanted === null) this.#onChange(null);
    else this.#load();
    this.refresh();
  }

  /** Keep the slider's end at the newest event. */
  refresh() {
    const live = this.#app.live.room;
    if (!live) return;
    const newest = live.position.seq;
    mark(this.slider, "max", newest);
    const value = String(this.#wanted ?? newest);
    if (this.slider.value !== value) this.slider.value = value;
    this.now.disabled = this.#wanted === null;
    const text = this.#wanted === null ? `live at ${newest}` : `${this.#wanted} of ${newest}`;
    say(this.output, text);
    mark(this.slider, "aria-valuetext", text);
  }

  /** While the slider moves, ask only for where it is when the last answer has come. */
  async #load() {
    if (this.#loading) return;
    this.#loading = true;
    try {
      let loaded = null;
      while (this.#wanted !== null && loaded !== this.#wanted) {
        loaded = this.#wanted;
        const at = { epoch: this.#app.live.room.position.epoch, seq: loaded };
        const room = roomOf(await this.#app.call("room.snapshot", { at }));
        if (this.#wanted !== null) this.#onChange(room);
      }
    } catch (error) {
      this.#app.failed(error);
      this.go(null);
    } finally {
      this.#loading = false;
    }
  }
}

/** What the band over a past room says. */
export function bandText(room) {
  return `This is the room as it was ${room.at ? `on ${moment(room.at)}` : "at the beginning"}, after event ${room.position.seq}. Nothing can be changed here.`;
}
