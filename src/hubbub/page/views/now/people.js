// Who is here: a card for each agent with what it does now, grouped by door; and people.

import { empty } from "../../parts/empty.js";
import { h, keep, mark, say } from "../../parts/element.js";
import { ago, clock, count, many, span } from "../../parts/format.js";
import { face, hued } from "../../parts/person.js";
import { line } from "../../parts/text.js";
import { DOORS, doorTitle } from "../../room/doors.js";
import { names, words } from "../../room/phrases.js";

/** Cards that a group shows before somebody asks for more. */
const FIRST = 24;
const ORDER = new Map([...DOORS.map((door) => door.name), "inside", "away"].map((name, index) => [name, index]));
const RANK = { active: 0, idle: 1, stale: 2, offline: 3 };

export class People {
  #app;
  #shown = new Map(); // group → cards shown
  #hint = empty("Nobody is here yet. An agent comes in through any door; to watch two talk, or to point a client of yours here:",
    "hubbub serve --demo", "hubbub env crosslink");

  constructor(app) {
    this.#app = app;
    this.groups = h("div", { class: "stack people-groups" });
    this.element = h("section", { class: "people", "aria-labelledby": "people-title" },
      h("h3", { id: "people-title" }, "Who is here"), this.#hint, this.groups);
  }

  /**
   * @param {object} now
   * @param {import("../../room/fold.js").Room} now.room
   * @param {(agent: string) => import("./doing.js").Doing} now.doing
   * @param {(agent: string) => number | null} now.since
   * @param {any[]} now.guests connections of people.
   * @param {number} now.at Unix milliseconds that "now" is.
   */
  show({ room, doing, since, guests, at }) {
    const groups = Map.groupBy(room.agents.values(), groupOf);
    if (guests.length) groups.set("people", guests);
    const names = [...groups.keys()].sort((a, b) => (ORDER.get(a) ?? 9) - (ORDER.get(b) ?? 9));
    this.#hint.hidden = names.length > 0;
    keep(this.groups, names, {
      key: (name) => name,
      make: (name) => this.#group(name),
      update: (element, name) => {
        const rows = groups.get(name);
        if (name === "people") return this.#showGuests(element, rows, at);
        if (name === "away") return this.#showAway(element, rows);
        this.#showCards(element, name, rows, { doing, since, at });
      },
    });
  }

  #group(name) {
    const number = h("span", { class: "soft number" });
    const isAway = name === "away";
    const list = h("ul", { class: isAway || name === "people" ? "people-line" : "people-cards" });
    const title = GROUPS[name] ?? `through ${doorTitle(name)}`;
    const more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => {
      this.#shown.set(name, (this.#shown.get(name) ?? FIRST) * 4);
      this.#app.shell.refresh();
    } });
    const element = h("section", { class: "people-group", "data-door": name },
      h("h4", {}, h("span", { class: "door-dot", "aria-hidden": "true" }), title, number), list, more);
    Object.assign(element, { list, number, more });
    return element;
  }

  #showCards(element, name, rows, { doing, since, at }) {
    say(element.number, count(rows.length));
    rows.sort((a, b) => RANK[a.status] - RANK[b.status] || (a.agent < b.agent ? -1 : 1));
    const limit = this.#shown.get(name) ?? FIRST;
    element.more.hidden = rows.length <= limit;
    say(element.more, `Show more of ${count(rows.length)}`);
    keep(element.list, rows.slice(0, limit), {
      key: (row) => row.agent,
      make: (row) => card(row),
      update: (each, row) => updateCard(each, row, doing(row.agent), since(row.agent), at),
    });
  }

  #showAway(element, rows) {
    say(element.number, count(rows.length));
    const limit = this.#shown.get("away") ?? FIRST;
    element.more.hidden = rows.length <= limit;
    say(element.more, `Show more of ${count(rows.length)}`);
    keep(element.list, rows.slice(-limit).reverse(), {
      key: (row) => row.agent,
      make: (row) => h("li", { class: "chip", "data-row": `agent:${row.agent}` }, face(row.agent), h("span", { "data-field": "name" }, line(row.agent, 40))),
    });
  }

  #showGuests(element, rows, at) {
    say(element.number, count(rows.length));
    keep(element.list, rows.slice(0, FIRST), {
      key: (row) => String(row.id),
      make: (row) => h("li", { class: "chip" }, line(row.principal ?? "somebody", 40), h("span", { class: "soft" })),
      update: (each, row) => say(each.lastChild, `${doorTitle(row.door)}, for ${span(at - row.since)}`),
    });
  }
}

const GROUPS = { inside: "run by the daemon itself", away: "away", people: "people and programs" };

function groupOf(row) {
  const doors = Object.keys(row.doors);
  if (doors.length) return doors.reduce((a, b) => ((ORDER.get(a) ?? 8) <= (ORDER.get(b) ?? 8) ? a : b));
  return row.status === "offline" ? "away" : "inside";
}

function card(row) {
  const parts = {
    state: h("span", { class: "state", "data-field": "state" }),
    doors: h("span", { class: "doors", "data-field": "doors" }),
    since: h("span", { class: "soft since number", "data-fading": true }),
    deeds: h("ul", { class: "deeds" }),
  };
  const element = hued(h("li", { class: "card agent", "data-row": `agent:${row.agent}` }, face(row.agent),
    h("div", { class: "agent-head" }, h("strong", { class: "hued name", "data-field": "name" }, line(row.agent, 60)), parts.state, parts.doors, parts.since),
    parts.deeds), row.agent);
  element.parts = parts;
  return element;
}

function updateCard(element, row, doing, since, at) {
  const { state, doors, since: for_, deeds } = element.parts;
  mark(state, "data-status", row.status);
  say(state, row.status);
  say(for_, since === null ? "" : `since ${clock(since)}`);
  const names = Object.entries(row.doors);
  const spelled = names.length > 1 ? names.map(([name, number]) => `${doorTitle(name)}${number > 1 ? ` ×${number}` : ""}`).join(" · ") : (names[0]?.[1] > 1 ? `×${names[0][1]}` : "");
  say(doors, spelled);
  keep(deeds, deedsOf(doing, at), {
    key: (deed) => deed.key,
    make: (deed) => h("li", { "data-deed": deed.sign, "data-field": deed.sign, "data-fading": HEARD.has(deed.sign) }, h(deed.href ? "a" : "span", { href: deed.href, class: "deed-text" }), h("span", { class: "soft number deed-more", "data-fading": true })),
    update: (each, deed) => {
      say(each.firstChild, deed.text);
      say(each.lastChild, deed.more ?? "");
    },
  });
}

/** Deeds that are heard of and stored nowhere, or go by the clock. */
const HEARD = new Set(["says", "issue", "last"]);

/** Say what an agent does, most telling first; what it did last where it does nothing. */
function* deedsOf(doing, at) {
  const { speech, runs, issue, locks, waits, reservations, last } = doing;
  if (speech) yield { key: "speech", sign: "says", text: tail(speech.text), href: link("chat", speech.session) };
  for (const run of runs.slice(-3)) {
    yield { key: `run ${run.run_id}`, sign: "run", text: line(run.intent, 90) || "a run without intent", href: link("runs", run.run_id),
      more: `${many(run.turn_count ?? 0, "turn")}, ${span(at - run.started_at)}` };
  }
  if (runs.length > 3) yield { key: "runs", sign: "run", text: `and ${runs.length - 3} runs more` };
  if (issue) yield { key: `issue ${issue.id}`, sign: "issue", text: `${issue.id}${issue.title ? `: ${line(issue.title, 80)}` : ""}`, href: link("work", issue.id) };
  for (const lock of locks.slice(0, 3)) yield { key: `lock ${lock.issue_id}`, sign: "lock", text: `lock ${lock.issue_id}`, href: link("work", lock.issue_id), more: `fence ${lock.fence}${left(lock.expires_at, at)}` };
  for (const each of reservations.slice(0, 2)) yield { key: `paths ${each.id}`, sign: "lock", text: line((each.paths ?? []).join(", "), 70), more: left(each.expires_at, at).slice(2) };
  for (const wait of waits.slice(0, 2)) yield { key: `wait ${wait.ticket}`, sign: "wait", text: `for ${line(wait.waits_for, 50)}`, more: `held by ${names(wait.held_by)}` };
  const isBusy = speech || runs.length || issue || locks.length || waits.length || reservations.length;
  if (!isBusy) yield last ? { key: "last", sign: "last", text: last.text ?? words(last.event), more: ago(last.event.at, at) } : { key: "none", sign: "last", text: "silent lately" };
}

const link = (...path) => `#/${path.map(encodeURIComponent).join("/")}`;
const left = (until, at) => (until ? `, ${until > at ? `${span(until - at)} left` : "lease over"}` : "");

function tail(text) {
  const flat = line(text, 400);
  return flat.length > 130 ? `…${flat.slice(-130)}` : (flat || "…");
}
