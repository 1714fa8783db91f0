// Who holds what: locks with their queues, and reserved paths.

import { fill, h, keep, say } from "../../parts/element.js";
import { empty } from "../../parts/empty.js";
import { clock, count } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { agentChip, countdown, issueLink } from "./pieces.js";

/** Rows of a table at most. */
const MOST = 200;
/** Globs of a reservation, and places of a queue, that are shown at most. */
const SOME = 12;

export class Leases {
  constructor() {
    this.locks = table("Locks on issues", ["Issue", "Holder", "Fence", "Since", "Lease", "Queue"], "Nobody holds a lock. Open an issue on the board and claim it, or let an agent do so:",
      'eval "$(hubbub env crosslink)"', 'curl -X POST -H "Authorization: Bearer $CROSSLINK_TOKEN" "$CROSSLINK_URL/api/v1/locks/1/claim" -d {}');
    this.paths = table("Reserved paths", ["Number", "Holder", "Mode", "Paths", "Why", "Lease"], "No paths are reserved. Agents that edit the same files reserve globs first, by reservations.claim; this follows them:",
      "hubbub tail 'reservations/*'");
    this.element = h("div", { class: "work-leases stack" }, this.locks.element, this.paths.element);
  }

  /**
   * @param {import("../../room/fold.js").Room} room
   * @param {Map<number, import("./model.js").Card>} cards
   */
  update(room, cards) {
    const locks = [...room.locks.values()].sort((one, other) => one.expires_at - other.expires_at);
    this.locks.show(locks, {
      key: (lock) => String(lock.issue_id), make: row((lock) => `lock:${lock.issue_id}`),
      update: (element, lock) => {
        const card = cards.get(lock.issue_id);
        unlessSame(element, [lock, card?.issue.title, ...(card?.queue ?? [])], () => lockCells(lock, card));
      },
    });
    const paths = [...room.reservations.values()].sort((one, other) => one.expires_at - other.expires_at);
    this.paths.show(paths, {
      key: (each) => String(each.id), make: row((each) => `reservation:${each.id}`),
      update: (element, each) => unlessSame(element, [each], () => pathCells(each)),
    });
  }
}

function lockCells(lock, card) {
  const queue = card?.queue ?? [];
  return [
    h("td", {}, issueLink(lock.issue_id), " ", h("span", { "data-field": "title" }, line(card?.issue.title ?? "", 80))),
    h("td", {}, agentChip(lock.holder, "holder")),
    h("td", { class: "work-figure", "data-field": "fence" }, lock.fence),
    h("td", { class: "work-figure", "data-field": "since" }, clock(lock.claimed_at)),
    h("td", {}, countdown(lock.expires_at)),
    h("td", {}, queue.length === 0 ? h("span", { class: "soft" }, "–")
      : h("ol", { class: "work-queue" }, queue.slice(0, SOME).map((wait) => h("li", {}, agentChip(wait.agent, "waits"), " ", countdown(wait.until))),
        queue.length > SOME && h("li", { class: "soft" }, `and ${count(queue.length - SOME)} more`))),
  ];
}

function pathCells(each) {
  return [
    h("td", { class: "work-figure", "data-field": "number" }, each.id),
    h("td", {}, agentChip(each.agent, "holder")),
    h("td", { "data-field": "mode" }, each.mode),
    h("td", { "data-field": "paths" }, each.paths.slice(0, SOME).map((glob) => [h("code", { class: "work-glob" }, line(glob, 80)), " "]),
      each.paths.length > SOME && h("span", { class: "soft" }, `and ${count(each.paths.length - SOME)} more`)),
    h("td", { "data-field": "reason" }, line(each.reason || "–", 200)),
    h("td", {}, countdown(each.expires_at)),
  ];
}

const row = (name) => (item) => h("tr", { "data-row": name(item) });

function unlessSame(element, shows, cells) {
  if (element.shows?.length === shows.length && shows.every((value, index) => value === element.shows[index])) return;
  element.shows = shows;
  fill(element, cells());
}

function table(title, heads, nothing, ...commands) {
  const body = h("tbody", {});
  const number = h("span", { class: "soft number" });
  const more = h("p", { class: "soft", hidden: true });
  const none = empty(nothing, ...commands);
  const frame = h("div", { class: "wide", tabindex: "0", role: "group", "aria-label": `${title}, table` },
    h("table", { class: "figures" }, h("caption", { class: "hidden-visually" }, title),
      h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), body));
  return {
    element: h("section", { class: "card stack" }, h("h3", { class: "work-count" }, title, number), frame, more, none),
    show(rows, how) {
      say(number, count(rows.length));
      none.hidden = rows.length > 0;
      frame.hidden = rows.length === 0;
      more.hidden = rows.length <= MOST;
      say(more, `The ${MOST} whose lease ends first are shown.`);
      keep(body, rows.slice(0, MOST), how);
    },
  };
}
