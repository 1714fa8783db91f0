// Plays the past: so many events each second, until it reaches the present.

import { h, mark, say } from "../parts/element.js";

/** Events per second that can be chosen. */
const SPEEDS = [1, 2, 5, 20, 100, 500];
const TICK_MS = 100;
/** Where playing begins when the room is live: so many events back. */
const BACK = 300;

export class Player {
  #bar;
  #timer = null;
  #speed = SPEEDS.indexOf(5);
  // The place that has been reached, with the part of an event that is still due.
  #place = 0;
  #at = 0;

  /** @param {import("./past.js").TimeBar} bar */
  constructor(bar) {
    this.#bar = bar;
    this.button = h("button", { type: "button", class: "time-play", onclick: () => this.toggle() });
    this.choice = h("select", { "aria-label": "Speed of playing", onchange: () => (this.#speed = Number(this.choice.value)) },
      SPEEDS.map((speed, index) => h("option", { value: index }, `${speed}/s`)));
    this.element = h("div", { class: "time-player" }, this.button, this.choice);
    this.refresh();
  }

  get isPlaying() {
    return this.#timer !== null;
  }

  toggle() {
    if (this.isPlaying) this.stop();
    else this.#play();
    this.#bar.refresh();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Play faster or slower by one step. */
  change(by) {
    this.#speed = Math.min(SPEEDS.length - 1, Math.max(0, this.#speed + by));
    this.refresh();
  }

  #play() {
    if (this.#bar.seq === null) this.#bar.step(-Math.min(BACK, this.#bar.newest));
    this.#place = this.#bar.seq ?? 0;
    this.#at = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  #tick() {
    const now = performance.now();
    // A room that takes long to come slows the play down; it does not leave events out unseen.
    if (!this.#bar.isLoading && !document.hidden) {
      // Who moves the slider meanwhile goes on from there.
      if (Math.floor(this.#place) !== this.#bar.seq) this.#place = this.#bar.seq ?? this.#place;
      this.#place += ((now - this.#at) * SPEEDS[this.#speed]) / 1000;
      if (Math.floor(this.#place) !== this.#bar.seq) this.#bar.go(Math.floor(this.#place));
    }
    this.#at = now;
  }

  refresh() {
    mark(this.button, "aria-label", this.isPlaying ? "Pause" : "Play the past");
    mark(this.button, "title", this.isPlaying ? "Pause (p)" : "Play the past (p)");
    say(this.button, this.isPlaying ? "❚❚" : "▶");
    this.choice.value = String(this.#speed);
  }
}
