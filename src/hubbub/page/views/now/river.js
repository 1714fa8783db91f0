// The river: what happens, newest first, a line each; it stands still while somebody reads.

import { fill, h, mark, say } from "../../parts/element.js";
import { clock, count } from "../../parts/format.js";
import { hued } from "../../parts/person.js";
import { agentOf, doorTitle, doorsOf } from "../../room/doors.js";
import { behind, called, doer, words } from "../../room/phrases.js";
import { weighs } from "../../room/weight.js";

/** Events kept to be filtered. */
const KEPT = 2000;
/** Lines in the page. */
const LINES = 200;
/** Characters of data that a kept event holds at most; more is read again when it is opened. */
const HEAVY = 8 * 1024;
/** Milliseconds between two times that lines are added. */
const PACE_MS = 100;

/**
 * @typedef {object} Entry
 * @property {any} event without its data where that is heavy.
 * @property {string[]} doors
 * @property {string | null} agent
 * @property {string} doer
 * @property {string | null} text its sentence, once it was needed.
 */

export class River {
  #entries = []; // newest first
  #held = []; // came while it stood still; oldest first
  #due = null;
  #lastDrawn = 0;
  #matches = () => true;
  #isPinned = false; // by key or button
  #isWatched = false; // by pointer or focus
  #onOpen;
  #say;

  /**
   * @param {object} listener
   * @param {(entry: Entry) => void} listener.open
   * @param {() => void} listener.change what stands beside the river may be other now.
   * @param {(event: any) => string} [listener.say] makes an event a sentence.
   */
  constructor({ open, change, say: sentence = words }) {
    this.#onOpen = open;
    this.#say = sentence;
    this.onChange = change;
    this.list = h("ol", { class: "river-lines", "aria-label": "Events, newest first" });
    this.list.addEventListener("pointerenter", () => this.#watch(true));
    this.list.addEventListener("pointerleave", () => this.#watch(this.list.contains(document.activeElement)));
    this.list.addEventListener("focusin", () => this.#watch(true));
    this.list.addEventListener("focusout", (event) => this.list.contains(event.relatedTarget) || this.#watch(this.list.matches(":hover")));
    this.list.addEventListener("click", (event) => this.#clicked(event));
  }

  get isStill() {
    return this.#isPinned || this.#isWatched;
  }

  get isPinned() {
    return this.#isPinned;
  }

  /** Events that wait for the river to flow on. */
  get waiting() {
    return this.#held.length;
  }

  get kept() {
    return this.#entries.length;
  }

  pin(isPinned) {
    this.#isPinned = isPinned;
    this.#flow();
  }

  /** Forget all events, and take others. */
  reset(events, room) {
    this.#held = [];
    this.#entries = events.map((event) => entryOf(event, room, this.#say)).reverse();
    this.#rebuild();
  }

  /** Put older events behind those that are there. */
  before(events, room) {
    const known = new Set(this.#entries.map((entry) => entry.event.id));
    for (const event of events.toReversed()) if (!known.has(event.id)) this.#entries.push(entryOf(event, room, this.#say));
    this.#rebuild();
  }

  /** Look at all entries, the newest first. */
  each(look) {
    this.#entries.forEach(look);
  }

  /** Take a new event. */
  add(event, room) {
    const entry = entryOf(event, room, this.#say);
    this.#held.push(entry);
    if (this.#held.length > KEPT) this.#held.splice(0, this.#held.length - KEPT);
    return entry;
  }

  /** Choose which events are shown. */
  filter(matches) {
    this.#matches = matches;
    this.#rebuild();
  }

  /** Show what has come, if it may flow. */
  draw() {
    if (this.isStill) {
      if (this.#held.length) this.onChange();
      return;
    }
    const wait = this.#lastDrawn + PACE_MS - performance.now();
    if (wait <= 0) return this.#flow();
    this.#due ??= setTimeout(() => this.#flow(), wait);
  }

  close() {
    clearTimeout(this.#due);
  }

  #flow() {
    clearTimeout(this.#due);
    this.#due = null;
    this.onChange();
    if (this.isStill || !this.#held.length) return;
    this.#lastDrawn = performance.now();
    const fresh = this.#held.reverse();
    this.#held = [];
    this.#entries.unshift(...fresh);
    this.#entries.length = Math.min(this.#entries.length, KEPT);
    const lines = fresh.filter(this.#matches).slice(0, LINES).map((entry) => lineOf(entry, this.#say));
    this.list.prepend(...lines);
    while (this.list.childElementCount > LINES) this.list.lastElementChild.remove();
    this.onChange();
  }

  #rebuild() {
    const chosen = [];
    for (const entry of this.#entries) {
      if (!this.#matches(entry)) continue;
      chosen.push(lineOf(entry, this.#say));
      if (chosen.length === LINES) break;
    }
    fill(this.list, chosen);
    this.list.scrollTop = 0;
    this.onChange();
  }

  #watch(isWatched) {
    if (this.#isWatched === isWatched) return;
    this.#isWatched = isWatched;
    this.#flow();
  }

  /** Move the selection by some lines, and the focus with it. */
  move(by) {
    const lines = [...this.list.children];
    if (!lines.length) return;
    const at = lines.findIndex((each) => each.contains(document.activeElement));
    const to = lines[Math.max(0, Math.min(lines.length - 1, at < 0 ? 0 : at + by))];
    to.firstElementChild.focus();
    to.scrollIntoView({ block: "nearest" });
  }

  /** Take the focus out of the lines; gives whether it was there. */
  leave() {
    const isHere = this.list.contains(document.activeElement);
    if (isHere) document.activeElement.blur();
    return isHere;
  }

  /** Whether any line is shown. */
  get isEmpty() {
    return this.list.childElementCount === 0;
  }

  #clicked(event) {
    const entry = event.target.closest("li")?.entry;
    if (entry) this.#onOpen(entry);
  }
}

/** Say how many events wait. */
export function showWaiting(element, river) {
  const waiting = river.waiting;
  element.hidden = !river.isStill;
  say(element, waiting ? `${count(waiting)} new, waiting` : "standing still");
}

function entryOf(event, room, sentence) {
  const isHeavy = weighs(event.data, HEAVY);
  return {
    event: isHeavy ? { ...event, data: undefined } : event,
    isHeavy,
    doors: doorsOf(event, room),
    agent: agentOf(event),
    doer: doer(event),
    text: isHeavy ? sentence(event) : null,
  };
}

function lineOf(entry, sentence) {
  const { event, doors } = entry;
  entry.text ??= sentence(event);
  const through = doors.map(doorTitle).join(", ");
  const element = h("li", { "data-door": doors[0] ?? "none", "data-seq": event.seq, "data-row": `event:${event.seq}`, "data-fading": event.seq === 0 },
    h("button", { type: "button", class: "river-line" },
      h("time", { class: "number soft", "data-field": "at" }, clock(event.at)),
      h("span", { class: "river-text", "data-field": "text" }, hued(h("span", { class: "hued name" }, called(entry.doer)), entry.doer), behind(entry.text)),
      h("span", { class: "river-cause soft", title: event.cause && "Something led to this" }, event.cause && ["↳", h("span", { class: "hidden-visually" }, " something led to this")]),
      h("span", { class: "river-door" }, through || "daemon")));
  mark(element, "data-stored", event.seq ? null : "no");
  element.entry = entry;
  return element;
}
