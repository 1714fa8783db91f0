// A tree of causes, drawn: each event a stop on a line, branches beside one another.

import { h } from "../../parts/element.js";
import { hued } from "../../parts/person.js";
import { short, span } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { isOwn } from "../../room/own.js";
import { doer, subject, words } from "../../room/phrases.js";

const SIGNS = [
  [/^chat\./, "chat", "message"],
  [/^direct\./, "chat", "message"],
  [/^run\.turn$/, "tool", "turn"],
  [/^run\./, "run", "run"],
  [/^issue\./, "issue", "issue"],
  [/^(lock|wait|reservation)\./, "lock", "lock"],
  [/^agent\./, "agent", "agent"],
];

/**
 * Draw a tree of causes.
 *
 * @param {import("./causes.js").Step} root
 * @param {string} chosen id of the event that was asked about.
 * @param {(event: any) => void} open
 */
export function chain(root, chosen, open) {
  return h("ol", { class: "chain", "aria-label": "Causes and effects, the first cause first" }, stops(root, null, chosen, open));
}

/** What follows alone stands on the same line; what branches is set in. */
function stops(step, above, chosen, open) {
  const rows = [];
  let at = step;
  let before = above;
  while (at) {
    const branches = at.effects.length > 1 ? at.effects : [];
    rows.push(stop(at, before, chosen, open, branches));
    before = at;
    at = branches.length ? null : at.effects[0];
  }
  return rows;
}

function stop(step, above, chosen, open, branches) {
  const { event } = step;
  const isChosen = step.id === chosen;
  const [sign, title] = signOf(event);
  return h("li", { "data-sign": sign, class: isChosen ? "chosen" : null },
    h("button", { type: "button", class: "stop", disabled: !event, "aria-current": isChosen ? "true" : null, onclick: () => open(event) },
      h("span", { class: "stop-sign" }, title),
      event
        ? h("span", { class: "stop-text" }, hued(h("span", { class: "hued name" }, subject(event)), doer(event)), ` ${words(event)}`)
        : h("span", { class: "stop-text" }, `a request (${short(line(step.id, 80))}), which is no event itself`),
      event && h("span", { class: "soft number stop-time" }, above?.event ? `+${span(event.at - above.event.at)}` : "")),
    step.isCut && h("p", { class: "soft stop-more" }, "and more than is shown here"),
    branches.length > 0 && h("ol", { class: "branches" }, branches.map((each) => h("li", { class: "branch" }, h("ol", { class: "chain" }, stops(each, step, chosen, open))))));
}

function signOf(event) {
  if (!event) return ["request", "request"];
  if (!isOwn(event)) return ["topic", "message"];
  if (event.kind === "run.turn" && event.data?.turn?.tool) return ["tool", "tool call"];
  const found = SIGNS.find(([pattern]) => pattern.test(event.kind));
  return found ? [found[1], found[2]] : ["topic", "event"];
}
