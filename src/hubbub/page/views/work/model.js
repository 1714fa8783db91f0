// What the room says about work, arranged as the board shows it. Pure.

/** The columns of the board, from left to right. */
export const COLUMNS = [
  { name: "ready", title: "Ready", hint: "open, waits for nothing" },
  { name: "blocked", title: "Blocked", hint: "waits for other issues" },
  { name: "working", title: "In work", hint: "somebody holds the lock" },
  { name: "closed", title: "Closed", hint: "newest first" },
];

const RANK = { critical: 0, high: 1, medium: 2, low: 3 };

/**
 * @typedef {object} Card An issue with what stands around it.
 * @property {any} issue
 * @property {any | undefined} lock
 * @property {any[]} queue who waits for the lock, first in front.
 * @property {number[]} open blockers that are open.
 * @property {any[]} children
 * @property {string} column
 */

/**
 * Arrange the issues of a room.
 *
 * @param {import("../../room/fold.js").Room} room
 * @returns {{cards: Map<number, Card>, columns: Map<string, Card[]>}}
 */
export function boardOf(room) {
  const queues = Map.groupBy(room.waits.values(), (wait) => wait.waits_for);
  const children = Map.groupBy(room.issues.values(), (issue) => issue.parent_id);
  const cards = new Map();
  for (const issue of room.issues.values()) {
    const open = issue.blockers.filter((id) => room.issues.get(id)?.status === "open");
    const lock = room.locks.get(issue.id);
    cards.set(issue.id, {
      issue, lock, open,
      queue: queues.get(`locks/${issue.id}`) ?? [],
      children: children.get(issue.id) ?? [],
      column: columnOf(issue, lock, open),
    });
  }
  const columns = Map.groupBy(cards.values(), (card) => card.column);
  for (const cardsOf of columns.values()) cardsOf.sort(inOrder);
  return { cards, columns };
}

function columnOf(issue, lock, open) {
  if (issue.status !== "open") return "closed";
  if (lock) return "working";
  return open.length ? "blocked" : "ready";
}

function inOrder(one, other) {
  if (one.column === "closed") return (other.issue.closed_at ?? 0) - (one.issue.closed_at ?? 0) || other.issue.id - one.issue.id;
  return RANK[one.issue.priority] - RANK[other.issue.priority] || one.issue.id - other.issue.id;
}

/**
 * Make a test of a filter's text: every word must be found. `#7` is a number, `@name` a holder or
 * who waits, `!high` a priority, other words are looked for in title and labels.
 *
 * @param {string} text
 * @returns {(card: Card) => boolean}
 */
export function matching(text) {
  const tests = text.toLowerCase().split(/\s+/).filter(Boolean).map(testOf);
  return (card) => tests.every((test) => test(card));
}

function testOf(word) {
  const rest = word.slice(1);
  if (word[0] === "#") return ({ issue }) => String(issue.id) === rest;
  if (word[0] === "!") return ({ issue }) => issue.priority.startsWith(rest);
  if (word[0] === "@") {
    return ({ lock, queue }) =>
      Boolean(lock?.holder.toLowerCase().includes(rest)) || queue.some((wait) => wait.agent.toLowerCase().includes(rest));
  }
  return ({ issue }) =>
    issue.title.toLowerCase().includes(word) || issue.labels.some((label) => label.toLowerCase().includes(word));
}

const KINDS = /^(issue|lock|wait|reservation)\./;

/** Whether an event may change what is shown here. */
export const matters = (event) => KINDS.test(event.kind);
