// The doors as tiles: who comes in through which, how busy it is there; pressed, they filter.

import { h, mark, say } from "../../parts/element.js";
import { many } from "../../parts/format.js";
import { DOORS } from "../../room/doors.js";

/** Seconds over which a rate is taken. */
const WINDOW = 5;

export class Tiles {
  #seconds = new Map(DOORS.map((door) => [door.name, new Array(WINDOW).fill(0)]));
  #tiles;

  /** @param {(door: string | null) => void} onChoose */
  constructor(onChoose) {
    this.chosen = null;
    this.#tiles = DOORS.map((door) => {
      const here = h("span", { class: "tile-here" });
      const rate = h("span", { class: "tile-rate soft number", title: "Events a second" });
      const button = h("button", {
        type: "button", class: "tile", "data-door": door.name, "aria-pressed": "false",
        onclick: () => {
          this.choose(this.chosen === door.name ? null : door.name);
          onChoose(this.chosen);
        },
      }, h("span", { class: "tile-name" }, door.title), rate, here, h("span", { class: "soft tile-holds" }, door.holds));
      return { door: door.name, button, here, rate };
    });
    this.element = h("div", { class: "tiles", role: "group", "aria-label": "Doors; press one to see only what comes through it" },
      this.#tiles.map((tile) => tile.button));
  }

  choose(door) {
    this.chosen = door;
    for (const tile of this.#tiles) mark(tile.button, "aria-pressed", String(tile.door === door));
  }

  /** Count an event for the doors that it came through. */
  count(doors) {
    for (const door of doors) {
      const seconds = this.#seconds.get(door);
      if (seconds) seconds[0] += 1 / doors.length;
    }
  }

  /** Let a second pass, and show what the last ones brought; the past has no rates. */
  tick(isPast) {
    for (const { door, rate, button } of this.#tiles) {
      const seconds = this.#seconds.get(door);
      const perSecond = seconds.reduce((sum, each) => sum + each, 0) / WINDOW;
      seconds.pop();
      seconds.unshift(0);
      say(rate, isPast ? "" : pace(perSecond));
      mark(button, "data-busy", perSecond > 0 && !isPast);
    }
  }

  /**
   * Show who is connected.
   *
   * @param {Map<string, {agents: number, people: number}>} doors
   * @param {Set<string> | null} open names of the doors that are open; `null`: not known.
   */
  show(doors, open) {
    for (const { door, here, button } of this.#tiles) {
      const { agents = 0, people = 0 } = doors.get(door) ?? {};
      const parts = [agents && many(agents, "agent"), people && many(people, "person", "people")].filter(Boolean);
      const isShut = open !== null && !open.has(door) && !parts.length;
      say(here, isShut ? "not open here" : (parts.join(", ") || "nobody now"));
      mark(button, "data-empty", !parts.length);
    }
  }
}

function pace(perSecond) {
  if (!perSecond) return "quiet";
  return `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)}/s`;
}
