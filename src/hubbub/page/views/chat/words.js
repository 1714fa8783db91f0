// Words for sessions, strategies and ends. Pure.

import { line } from "../../parts/text.js";

/** What a message does that comes while a turn of its session is open. */
export const STRATEGIES = [
  ["enqueue", "Wait in line", "It is answered after the turns before it."],
  ["reject", "Refuse", "It is not sent while a turn is open."],
  ["interrupt", "Interrupt", "Open turns stop; what they said so far stays."],
  ["rollback", "Roll back", "Open turns stop and vanish, questions and all."],
];

/** Give a session's own strategy. */
export const strategyOf = (row) => {
  const own = row?.fields?.multitaskStrategy;
  return STRATEGIES.some(([name]) => name === own) ? own : "enqueue";
};

/** Give a session's name as people know it. */
export function titleOf(session, row) {
  const named = row?.fields?.label ?? row?.fields?.displayName;
  return line(typeof named === "string" && named ? named : restOf(session), 80);
}

/** Give what a key says besides its agent. */
function restOf(session) {
  const [prefix, agent, ...rest] = session.split(":");
  return prefix === "agent" && agent !== undefined && rest.length ? rest.join(":") : session;
}

/** Give the agent of a key, in any spelling. */
export function agentOfKey(session) {
  const [prefix, agent, ...rest] = session.split(":");
  return prefix.toLowerCase() === "agent" && agent && rest.length ? agent : "main";
}

/** Give an agent's name the form that it has in session keys. */
export function agentId(name) {
  const id = name.trim().toLowerCase().replace(/[^a-z0-9_-]+/g, "-").replace(/^[-_]+/, "").slice(0, 64);
  return id || "main";
}

/** Say why a turn ended without an answer. */
export function endText(run) {
  if (run?.status === "completed") return "The answer had no words.";
  if (run?.status !== "cancelled") return "";
  return {
    rpc: "Stopped. Nothing of the answer was kept.",
    stop: "Stopped by a word. Nothing of the answer was kept.",
    timeout: "It took too long and was stopped.",
    interrupt: "A newer message interrupted it before it said anything.",
    rollback: "Rolled back by a newer message.",
  }[run.termination?.reason] ?? "It was stopped.";
}
