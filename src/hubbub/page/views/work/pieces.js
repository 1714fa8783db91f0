// Small things that all parts of this view show: agents, countdowns, numbers, priorities.

import { h, mark, say, svg } from "../../parts/element.js";
import { hue, span } from "../../parts/format.js";
import { line } from "../../parts/text.js";

/** An agent's name in its colour. */
export function agentChip(name, field = null) {
  const chip = h("span", { class: "chip work-agent", title: line(name, 300), "data-field": field }, h("span", { class: "work-agent-name" }, line(name, 40)));
  chip.style.setProperty("--hue", hue(name));
  return chip;
}

/** A link to an issue. */
export const issueLink = (id, text = `#${id}`, props = {}) => h("a", { href: `#/work/${id}`, ...props }, text);

const BARS = { low: 1, medium: 2, high: 3, critical: 4 };

/** A priority as bars, with its name for those who cannot see them. */
export function priorityMark(priority) {
  const count = BARS[priority] ?? 0;
  return h("span", { class: "work-priority", "data-priority": priority, title: `${priority} priority` },
    svg("svg", { viewBox: "0 0 15 12", width: 15, height: 12, "aria-hidden": "true" },
      [1, 2, 3, 4].map((n) => svg("rect", {
        x: (n - 1) * 4, y: 12 - n * 3, width: 3, height: n * 3, rx: 1, class: n <= count ? "on" : "off",
      }))),
    h("span", { class: "hidden-visually", "data-field": "priority" }, priority));
}

const STATES = { ready: "ready", blocked: "blocked", working: "in work", closed: "closed" };

/** What state a card is in, as a chip. */
export function stateChip(card) {
  const name = card.issue.status === "archived" ? "archived" : STATES[card.column];
  return h("span", { class: "chip work-state", "data-column": card.column, "data-field": "state" }, name);
}

/** Milliseconds before the end of a lease from which it is nearly over. */
const NEARLY_MS = 60_000;

/** The time that is left of a lease; `tick` keeps it up to date. */
export function countdown(until) {
  return h("span", { class: "work-countdown number", "data-until": until, "data-fading": true });
}

/**
 * Bring all countdowns below an element up to date.
 *
 * @param {Element} place
 * @param {number} now Unix milliseconds of the room that is shown.
 */
export function tick(place, now) {
  for (const element of place.querySelectorAll("[data-until]")) {
    const left = Number(element.dataset.until) - now;
    mark(element, "data-tone", left <= 0 ? "over" : left < NEARLY_MS ? "nearly" : null);
    say(element, left <= 0 ? "lease over" : `${coarse(left)} left`);
  }
}

// Seconds matter only near the end.
function coarse(ms) {
  if (ms < 600_000) return span(Math.ceil(ms / 1000) * 1000);
  return ms < 3_600_000 ? `${Math.floor(ms / 60_000)} min` : span(ms);
}
