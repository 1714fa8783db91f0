// Now: who is here, what they do, and the river of what happens.

import { h, say } from "../../parts/element.js";
import { count, many } from "../../parts/format.js";
import { empty } from "../../parts/empty.js";
import { DOORS } from "../../room/doors.js";
import { Activity } from "./doing.js";
import { Detail } from "./detail.js";
import { Filters } from "./filters.js";
import { People } from "./people.js";
import { River, showWaiting } from "./river.js";
import { Tiles } from "./tiles.js";

/** Events of before that are read when the view opens. */
const EARLIER = 200;
/** Milliseconds between two looks at who is here, while events keep coming. */
const PEOPLE_MS = 250;
const HEALTH_MS = 5000;

class NowView {
  #app;
  #room = null;
  #isPast = false;
  #activity = new Activity();
  #health = null;
  #wanted = null;
  #dueAt = 0;
  #reading = 0;
  #isBeginning = true;
  #ends = [];

  constructor(place, app, rest) {
    this.#app = app;
    this.filters = new Filters(() => this.#filter());
    this.tiles = new Tiles((door) => this.filters.choose(door));
    this.people = new People(app);
    this.river = new River({ open: (entry) => this.#open(entry), change: () => this.#showRiver() });
    this.detail = new Detail(app, () => this.#leave());
    place.append(this.#laidOut());
    this.river.filter(this.filters.matcher());
    this.#keys();
    const second = setInterval(() => this.#second(), 1000);
    const health = setInterval(() => this.#readHealth(), HEALTH_MS);
    this.#ends.push(() => clearInterval(second), () => clearInterval(health));
    this.#readHealth();
    this.route(rest);
  }

  #laidOut() {
    this.headline = h("h2", { class: "now-headline" });
    this.figures = h("p", { class: "now-figures soft number" });
    this.pause = h("button", { type: "button", "aria-pressed": "false", onclick: () => this.#pin() }, "Pause");
    this.waiting = h("span", { class: "chip warn", hidden: true });
    this.nothing = h("div", {});
    const river = h("section", { class: "river card", "aria-labelledby": "river-title" },
      h("div", { class: "river-bar" }, h("h3", { id: "river-title" }, "What happens"), this.waiting, this.pause, this.filters.element),
      this.nothing, this.river.list);
    return h("div", { class: "now" },
      h("header", { class: "now-head" }, h("div", {}, this.headline,
        h("p", { class: "soft" }, "One room for AI agents and the people who work with them. Each comes in through the door whose language it speaks already; what one does, all others see.")), this.figures),
      this.tiles.element,
      h("div", { class: "now-columns" }, this.people.element, river), this.detail.element);
  }

  #keys() {
    const { keys } = this.#app;
    const add = (key, does, run) => this.#ends.push(keys.add("Now", key, does, run));
    add("p", "let the river stand still, or flow on", () => this.#pin());
    add("j", "next event", () => this.river.move(1));
    add("k", "event before", () => this.river.move(-1));
    add("ArrowDown", "next event", () => this.river.move(1));
    add("ArrowUp", "event before", () => this.river.move(-1));
    add("f", "filter by topic", () => this.filters.topic.input.focus());
    add("Escape", "leave the river, or show all events again", () => this.#clear());
  }

  /** The address may name an event. */
  route(rest) {
    this.#wanted = rest[0] === "event" && rest[1] ? rest[1] : null;
    if (!this.#wanted) this.detail.close();
    else if (this.#room) this.detail.open(this.#wanted);
  }

  update({ room, events, isPast, isReset }) {
    this.#room = room;
    if (this.#isPast !== isPast) this.tiles.tick(isPast);
    this.#isPast = isPast;
    if (isReset) this.#begin(room);
    else for (const event of events) this.#take(event, room);
    this.river.draw();
    if (performance.now() >= this.#dueAt || isReset) this.#showPeople();
  }

  #take(event, room) {
    const entry = this.river.add(event, room);
    this.#activity.note(event, entry);
    this.filters.learn(entry);
    this.tiles.count(entry.doors);
  }

  /** Another room than before: look at it, and read what happened right before. */
  async #begin(room) {
    this.#activity.reset(room);
    this.#isBeginning = true;
    this.river.reset([], room);
    if (this.#wanted) this.detail.open(this.#wanted);
    const reading = (this.#reading += 1);
    const { epoch, seq } = room.position;
    const after = { epoch, seq: Math.max(0, seq - EARLIER) };
    const page = await this.#app.told(this.#app.call("journal.read", { after, limit: EARLIER }));
    if (!page || reading !== this.#reading) return;
    const earlier = page.events.filter((event) => event.seq <= seq);
    this.#isBeginning = false;
    this.river.before(earlier, room);
    this.river.each((entry) => {
      this.#activity.before(entry);
      this.filters.learn(entry);
    });
    this.#showPeople();
  }

  #showPeople() {
    this.#dueAt = performance.now() + PEOPLE_MS;
    const room = this.#room;
    if (!room) return;
    const heard = this.#isPast ? null : this.#app.live.heard;
    const guests = this.#isPast ? [] : (this.#health?.connections ?? []).filter((each) => !each.agent);
    const at = this.#isPast ? room.at : Date.now();
    this.people.show({ room, doing: this.#activity.of(room, heard), since: (agent) => this.#since(agent), guests, at });
    const doors = doorsIn(room, guests);
    const open = this.#health && !this.#isPast ? new Set(this.#health.listeners.map((each) => each.name)) : null;
    this.tiles.show(doors, open);
    this.#showHead(room, doors);
  }

  #showHead(room, doors) {
    const here = [...room.agents.values()].filter((agent) => agent.status !== "offline" || Object.keys(agent.doors).length);
    const used = [...doors.values()].filter((each) => each.agents).length;
    const { runs, speech } = this.#activity.counts;
    say(this.headline, here.length ? `${many(here.length, "agent")} in the room${used ? `, through ${many(used, "door")}` : ""}` : "Nobody is in the room yet");
    const figures = [[runs, "open run"], [speech, "answer being given", "answers being given"], [room.locks.size, "lock held", "locks held"], [room.waits.size, "agent waiting", "agents waiting"]];
    say(this.figures, figures.filter(([number]) => number).map((figure) => many(...figure)).join(" · ") || "No run is open, no lock is held");
  }

  #since(agent) {
    if (this.#isPast) return null;
    const own = (this.#health?.connections ?? []).filter((each) => each.agent === agent);
    return own.length ? Math.min(...own.map((each) => each.since)) : this.#activity.since(agent);
  }

  #second() {
    if (document.hidden) return;
    this.tiles.tick(this.#isPast);
    this.#showPeople();
  }

  /** Connections of people are told by no event. */
  async #readHealth() {
    if (document.hidden) return;
    try {
      this.#health = await this.#app.call("system.health");
      this.#showPeople();
    } catch {
      this.#health = null; // a daemon that is older than this page, or one that is away
    }
  }

  #filter() {
    this.tiles.choose(this.filters.door);
    this.river.filter(this.filters.matcher());
  }

  #clear() {
    if (this.river.leave()) return;
    if (this.filters.isSet) this.filters.reset();
    else if (this.river.isPinned) this.#pin();
  }

  #pin() {
    this.river.pin(!this.river.isPinned);
    this.pause.setAttribute("aria-pressed", String(this.river.isPinned));
    say(this.pause, this.river.isPinned ? "Flow on" : "Pause");
  }

  #showRiver() {
    showWaiting(this.waiting, this.river);
    const isBare = this.river.isEmpty && !this.#isBeginning;
    if (isBare === Boolean(this.nothing.firstElementChild) && this.nothing.dataset.for === String(this.filters.isSet)) return;
    this.nothing.dataset.for = String(this.filters.isSet);
    this.nothing.replaceChildren(...(isBare ? [this.#why()] : []));
  }

  #why() {
    if (this.filters.isSet) return empty(`None of the newest ${count(this.river.kept)} events is like that. Those that come will be shown.`);
    return empty("Nothing has happened yet. Whatever anyone publishes appears here at once:", "hubbub publish lobby '\"hello\"'");
  }

  #open(entry) {
    if (!entry.event.seq) return this.detail.open(entry.event.id, entry.event);
    this.#app.navigate("now", "event", entry.event.id);
  }

  #leave() {
    if (this.#wanted) this.#app.navigate("now");
  }

  close() {
    this.#reading += 1;
    this.#wanted = null;
    for (const end of this.#ends) end();
    this.river.close();
    this.detail.close();
  }
}

/** Count who is connected through each door. */
function doorsIn(room, guests) {
  const doors = new Map(DOORS.map((door) => [door.name, { agents: 0, people: 0 }]));
  for (const agent of room.agents.values()) {
    for (const name of Object.keys(agent.doors)) if (doors.has(name)) doors.get(name).agents += 1;
  }
  for (const guest of guests) if (doors.has(guest.door)) doors.get(guest.door).people += 1;
  return doors;
}

/** @type {import("../index.js").View} */
export const now = {
  name: "now",
  title: "Now",
  key: "1",
  open: (place, app, rest) => new NowView(place, app, rest),
};
