// What each figure of the daemon means, and from where on it is worth a look. Pure.

import { bytes, count, many, span } from "../../parts/format.js";

/**
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} means one sentence.
 * @property {(health: any, before: any | null) => number | null} value `null`: not known.
 * @property {(value: number) => string} text
 * @property {(value: number, health: any) => string} [more]
 * @property {[number, number]} [bounds] from the first on: to be watched; from the second: bad.
 * @property {[string, string, string]} [verdicts] words for below, between and above.
 * @property {boolean} [isOptional] it does not stand where it is not known.
 * @property {number} [floor] peak that fills a chart at least.
 */

const milliseconds = (value) => (value < 10 ? `${value.toFixed(1)} ms` : span(value));

/** Per second, of a counter that grows. */
const perSecond = (read) => (health, before) => {
  if (!before || health.now <= before.now || read(health) < read(before)) return null;
  return ((read(health) - read(before)) * 1000) / (health.now - before.now);
};

const sum = (rows, field) => rows.reduce((total, row) => total + row[field], 0);

/** @type {Figure[]} */
export const FIGURES = [
  {
    name: "Events", means: "What is told to everyone who listens, stored or not.",
    value: perSecond((health) => health.bus.events), text: (value) => `${value < 10 ? value.toFixed(1) : count(value)} a second`,
    more: (_, health) => `${count(health.bus.events)} since the start, to ${many(health.bus.subscribers, "subscription")}`, floor: 5,
  },
  {
    name: "Answers", means: "99 of 100 requests are answered within this time, those that write after they are stored.",
    value: (health) => health.latency.answer_ms_p99, text: milliseconds,
    more: (_, health) => `half of them within ${milliseconds(health.latency.answer_ms_p50 ?? 0)}`,
    bounds: [100, 500], verdicts: ["quick", "slow", "very slow"], floor: 10,
  },
  {
    name: "Commits", means: "99 of 100 writes to the disk are done within this time; all writes wait for them.",
    value: (health) => health.store.commit_ms_p99, text: milliseconds,
    more: (_, health) => `${milliseconds(health.store.commit_ms_mean ?? 0)} on average; ${(health.store.units / Math.max(1, health.store.commits)).toFixed(1)} writes share one`,
    bounds: [50, 250], verdicts: ["quick", "slow disk", "very slow disk"], floor: 10,
  },
  {
    name: "Waiting writes", means: "What has been asked to be stored and is not yet.",
    value: (health) => health.store.units_waiting, text: count,
    bounds: [500, 5000], verdicts: ["no jam", "piling up", "jammed"], floor: 10,
  },
  {
    name: "Store", means: "The journal and all state on the disk. Retention keeps the journal of topics within its limit.",
    value: (health) => health.store.bytes, text: bytes,
    more: (_, health) => (health.store.free_bytes === null ? "in memory: it ends with the daemon" : `${bytes(health.store.free_bytes)} left on its disk`),
  },
  {
    name: "Free disk", isOptional: true, means: "When nothing is left, writes are refused and reads go on.",
    value: (health) => health.store.free_bytes, text: bytes,
    bounds: [1 << 30, 128 << 20], verdicts: ["enough", "getting low", "nearly full"],
  },
  {
    name: "Queued", means: "What waits for clients that read slower than they are told things.",
    value: (health) => sum(health.listeners, "queued_bytes"), text: bytes,
    more: (_, health) => `${count(health.bus.lagging)} of ${count(health.bus.subscribers)} subscriptions catch up from the store`,
    bounds: [1 << 20, 64 << 20], verdicts: ["all keep up", "some are slow", "many are slow"], floor: 64 << 10,
  },
  {
    name: "Dropped", means: "Frames that slow clients of doors that drop did not get; each is told so. A second, now.",
    value: perSecond((health) => sum(health.listeners, "dropped")), text: (value) => (value ? `${value.toFixed(1)} a second` : "none"),
    more: (_, health) => `${count(sum(health.listeners, "dropped"))} since the start; ${count(sum(health.listeners, "slow_closes"))} slow connections closed`,
    bounds: [0.1, 50], verdicts: ["none now", "some are lost", "many are lost"], floor: 1,
  },
  {
    name: "Refused", means: "Requests, messages and connections over a limit. A second, now.",
    value: perSecond((health) => sum(health.listeners, "refused")), text: (value) => (value ? `${value.toFixed(1)} a second` : "none"),
    more: (_, health) => `${count(sum(health.listeners, "refused"))} since the start`,
    bounds: [0.1, 20], verdicts: ["none now", "somebody is over a limit", "much is refused"], floor: 1,
  },
];

const TONES = ["good", "warn", "bad"];

/**
 * Judge a figure.
 *
 * @param {Figure} figure
 * @param {number | null} value
 * @returns {{tone: string, word: string} | null}
 */
export function verdict({ bounds, verdicts }, value) {
  if (!bounds || value === null) return null;
  // Where less is worse the first bound is the higher one.
  const isWorse = bounds[0] > bounds[1] ? (bound) => value < bound : (bound) => value >= bound;
  const level = isWorse(bounds[1]) ? 2 : (isWorse(bounds[0]) ? 1 : 0);
  return { tone: TONES[level], word: verdicts[level] };
}

/** Say how much of a limit is used. */
export function usage({ value, used }) {
  if (used === null || used === undefined || !value) return null;
  const share = used / value;
  const level = share >= 0.9 ? 2 : (share >= 0.7 ? 1 : 0);
  return { share: Math.min(1, share), tone: TONES[level], word: ["", "much of it", "nearly all"][level] };
}

/** A limit's value as people read it. */
export function amount(value, unit) {
  if (unit === "bytes" || unit === "B") return bytes(value);
  if (unit === "ms" || unit === "milliseconds") return span(value);
  if (unit === "s" || unit === "seconds") return span(value * 1000);
  return `${count(value)} ${unit}`.trim();
}

/** A connection that cannot keep up, in words; `null`: it can. */
export function slowness(connection) {
  if (connection.dropped) return { tone: "bad", word: "slow: loses frames" };
  if (connection.lagging) return { tone: "warn", word: "catches up" };
  if (connection.queued_bytes > 256 << 10) return { tone: "warn", word: "slow" };
  return null;
}
