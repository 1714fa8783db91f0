// The conversations of all agents, grouped by agent, with a mark on those that have news.

import { h, keep, mark, say } from "../../parts/element.js";
import { brief, hue, moment } from "../../parts/format.js";
import { line } from "../../parts/text.js";
import { titleOf } from "./words.js";

const SEEN = "hubbub.seen";
const MOST_SEEN = 1000;
const SOME = 8;
const MOST_GROUPS = 100;

/** Which sessions somebody has looked at, and when they last changed then. */
export class Seen {
  constructor() {
    const kept = read();
    /** What was there before this browser's first look is no news. */
    this.since = kept.since ?? Date.now();
    this.times = new Map(Object.entries(kept.times ?? {}).filter(([, at]) => Number.isFinite(at)));
  }

  isNews(row) {
    return row.updated_at > (this.times.get(row.session) ?? this.since);
  }

  /** Note that a session has been looked at as it is. */
  look(row) {
    if (!this.isNews(row)) return;
    this.times.delete(row.session);
    this.times.set(row.session, row.updated_at);
    while (this.times.size > MOST_SEEN) this.times.delete(this.times.keys().next().value);
    localStorage.setItem(SEEN, JSON.stringify({ since: this.since, times: Object.fromEntries(this.times) }));
  }
}

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(SEEN) ?? "{}");
    if (kept && typeof kept === "object" && kept.since) return kept;
  } catch {
    // Not ours: begin anew.
  }
  const fresh = { since: Date.now(), times: {} };
  localStorage.setItem(SEEN, JSON.stringify(fresh));
  return fresh;
}

export class SessionList {
  #opened = new Set();

  /** @param {() => void} redraw asks to be drawn again. */
  constructor(redraw) {
    this.redraw = redraw;
    this.find = h("input", { type: "search", placeholder: "find", "aria-label": "Find a conversation", oninput: redraw });
    this.groups = h("div", { class: "session-groups" });
    this.nothing = h("p", { class: "soft", hidden: true }, "No conversation has such a name.");
    this.element = h("nav", { class: "sessions", "aria-label": "Conversations" }, this.find, this.nothing, this.groups);
  }

  /** Keys of the sessions that are listed, in order. */
  get keys() {
    return [...this.groups.querySelectorAll("a.session")].map((link) => link.dataset.session);
  }

  focus(session) {
    [...this.groups.querySelectorAll("a.session")].find((link) => link.dataset.session === session)?.focus();
  }

  /**
   * @param {{agent: string, status: string, rows: any[]}[]} groups
   * @param {{now: number, session: string | null, busy: Set<string>, seen: Seen | null}} state
   */
  draw(groups, state) {
    const words = this.find.value.trim().toLowerCase();
    const found = groups
      .map((group) => ({ ...group, rows: group.rows.filter((row) => matches(row, words)) }))
      .filter((group) => group.rows.length > 0 || (!words && group.agent));
    this.nothing.hidden = found.length > 0;
    keep(this.groups, found.slice(0, MOST_GROUPS), {
      key: ({ agent }) => agent,
      make: (group) => this.#makeGroup(group),
      update: (element, group) => this.#updateGroup(element, group, state, words),
    });
  }

  #makeGroup({ agent }) {
    const name = h("h3", { class: "agent-name" }, line(agent, 60));
    name.style.setProperty("--hue", hue(agent));
    const status = h("span", { class: "soft" });
    const rows = h("ul", {});
    const more = h("button", { type: "button", class: "quiet small", hidden: true, onclick: () => (this.#opened.add(agent), this.redraw()) });
    const first = linkTo(`agent:${agent}:main`, "session first", "Say something");
    const element = h("section", { class: "session-group" }, h("div", { class: "row spread" }, name, status), rows, first, more);
    Object.assign(element, { rows, more, first, status });
    return element;
  }

  #updateGroup(element, { agent, status, rows }, state, words) {
    const isOpen = this.#opened.has(agent) || words;
    const some = isOpen ? rows : rows.filter((row, index) => index < SOME || row.session === state.session);
    say(element.status, status);
    element.first.hidden = rows.length > 0;
    element.more.hidden = some.length === rows.length;
    say(element.more, `${rows.length - some.length} more`);
    keep(element.rows, some, { key: (row) => row.session, make: makeRow, update: (item, row) => updateRow(item, row, state) });
  }
}

function matches(row, words) {
  return !words || [row.session, row.fields?.label, row.fields?.displayName].some((text) => String(text ?? "").toLowerCase().includes(words));
}

function linkTo(session, look, ...children) {
  return h("a", { class: look, href: `#/chat/${encodeURIComponent(session)}`, "data-session": session }, children);
}

function makeRow(row) {
  const parts = {
    title: h("span", { class: "session-title", "data-field": "title" }),
    when: h("span", { class: "soft number" }),
    mark: h("span", { class: "session-mark" }),
  };
  const item = h("li", { "data-row": `session:${row.session}` }, linkTo(row.session, "session", parts.mark, parts.title, parts.when));
  item.parts = parts;
  return item;
}

function updateRow(item, row, { now, session, busy, seen }) {
  const { parts } = item;
  const isBusy = busy.has(row.session);
  const isNews = Boolean(seen?.isNews(row)) && row.session !== session;
  say(parts.title, titleOf(row.session, row));
  say(parts.when, now - row.updated_at < 60000 ? "now" : brief(now - row.updated_at));
  mark(parts.when, "title", moment(row.updated_at));
  mark(parts.mark, "data-is", isBusy ? "busy" : isNews ? "news" : null);
  mark(parts.mark, "role", isBusy || isNews ? "img" : null);
  mark(parts.mark, "aria-label", isBusy ? "being answered" : isNews ? "unread" : null);
  mark(item.firstElementChild, "data-news", isNews || null);
  mark(item.firstElementChild, "aria-current", row.session === session ? "page" : null);
}
