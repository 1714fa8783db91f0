// Time travel: which position is shown, and the bar on which it is chosen.
//
// A position can be linked: `#/work/3?at=120-3fa9c1d2` is the room after event 120 of the journal
// whose epoch begins so. While the past is shown, every address carries it; an address without it
// does not lead back, only "Now" does.

import { h, mark, say } from "../parts/element.js";
import { count, moment } from "../parts/format.js";
import { roomOf } from "../room/fold.js";
import { Activity } from "./activity.js";
import { eventAt, told } from "./event.js";
import { Player } from "./player.js";

/** Characters of an epoch that stand in a link: enough to tell one journal from another. */
const EPOCH = 8;

export class TimeBar {
  #wanted = null;
  #linked = null;
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
      type: "range", id: "when", min: "0", max: "0", value: "0", step: "1",
      "aria-label": "Position in the journal", oninput: () => this.go(Number(this.slider.value)),
    });
    this.output = h("output", { for: "when" });
    this.now = h("button", { type: "button", title: "Back to now (0)", onclick: () => this.go(null), disabled: true }, "Now");
    this.player = new Player(this);
    this.activity = new Activity(app, this.slider);
    this.element = h("div", { class: "time-bar", role: "group", "aria-label": "Time travel" },
      this.player.element, this.activity.element, this.output, this.now);
    this.#bind(app.keys);
  }

  #bind(keys) {
    const add = (key, does, run) => keys.add("Time travel", key, does, run);
    add("t", "go to the slider", () => this.slider.focus());
    add("[", "one event back", () => this.step(-1));
    add("]", "one event on", () => this.step(1));
    add("{", "a tenth back", () => this.step(-Math.ceil(this.newest / 10)));
    add("}", "a tenth on", () => this.step(Math.ceil(this.newest / 10)));
    add("p", "play the past, or pause", () => this.player.toggle());
    add("<", "play slower", () => this.player.change(-1));
    add(">", "play faster", () => this.player.change(1));
    add("0", "back to now", () => this.go(null));
  }

  /** The past position that is shown or asked for; `null`: now. */
  get seq() {
    return this.#wanted;
  }

  /** Position of the newest event. */
  get newest() {
    return this.#app.live.room?.position.seq ?? 0;
  }

  get isLoading() {
    return this.#loading;
  }

  step(by) {
    const to = (this.#wanted ?? this.newest) + by;
    this.go(to >= this.newest ? null : Math.max(Number(this.slider.min), to));
  }

  /** Show the room as it was after an event; `null` or the newest: as it is. */
  go(seq) {
    const isNow = seq === null || seq >= (this.#app.live.room?.position.seq ?? Infinity);
    this.#wanted = isNow ? null : Math.max(0, Math.floor(seq));
    if (isNow) {
      this.player.stop();
      this.#onChange(null);
    } else this.#load();
    this.refresh();
  }

  /** What an address says of the past, to be put behind its path. */
  get link() {
    const epoch = this.#app.live.room?.position.epoch.slice(0, EPOCH) ?? "";
    return this.#wanted === null ? "" : `?at=${this.#wanted}-${epoch}`;
  }

  /**
   * Go where an address leads.
   *
   * @param {string} query what stands behind its question mark.
   */
  follow(query) {
    const found = /^at=(\d{1,15})-([0-9a-zA-Z]*)$/.exec(query);
    if (!found) return;
    this.#linked = { seq: Number(found[1]), epoch: found[2] };
    this.#followed();
  }

  /** A link may come before there is a room. */
  #followed() {
    const live = this.#app.live.room;
    if (!live || !this.#linked) return;
    const { seq, epoch } = this.#linked;
    this.#linked = null;
    if (live.position.epoch.startsWith(epoch)) this.go(seq);
    else this.#app.notices.tell("That link leads into the past of another journal. This is the room as it is now.", "bad");
  }

  /** Keep the slider's end at the newest event. */
  refresh() {
    if (!this.#app.live.room) return;
    if (this.#linked) this.#followed();
    const { newest } = this;
    mark(this.slider, "max", newest);
    const value = String(this.#wanted ?? newest);
    if (this.slider.value !== value) this.slider.value = value;
    this.now.disabled = this.#wanted === null;
    mark(this.element, "data-past", this.#wanted !== null);
    const text = this.#wanted === null ? `live at ${count(newest)}` : `${count(this.#wanted)} of ${count(newest)}`;
    say(this.output, text);
    mark(this.slider, "aria-valuetext", text);
    this.player.refresh();
    this.activity.refresh(newest);
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

/** The band over a past room: when it was, what had just happened, and the way back. */
export class Band {
  #app;
  #shown = null;

  /** @param {object} app */
  constructor(app, back) {
    this.#app = app;
    this.when = h("strong", {});
    this.what = h("span", {});
    this.element = h("div", { class: "past-band", role: "status", hidden: true },
      h("span", { class: "past-sign" }, "Past"), h("p", {}, this.when, " ", this.what, " Nothing can be changed here."),
      h("button", { type: "button", onclick: back }, "Back to now ", h("kbd", { "aria-hidden": "true" }, "0")));
  }

  /** @param {import("../room/fold.js").Room | null} room `null`: it is live. */
  async show(room) {
    this.element.hidden = room === null;
    this.#shown = room;
    if (room === null) return;
    const { seq, epoch } = room.position;
    say(this.when, seq === 0 || !room.at ? "The beginning." : `${moment(room.at)}.`);
    say(this.what, `After event ${count(seq)}.`);
    if (seq === 0) return;
    const event = await eventAt(this.#app, epoch, seq).catch(() => null);
    if (event && this.#shown === room) say(this.what, `After event ${count(seq)}: ${told(event)}.`);
  }
}
