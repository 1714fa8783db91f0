// What a run and its turns mean to people. Pure.

import { line } from "../../parts/text.js";

const OUTCOMES = {
  success: ["succeeded", "good", "✓"],
  done: ["done", "good", "✓"],
  partial_success: ["partly done", "warn", "◐"],
  give_up: ["gave up", "bad", "✗"],
  timeout: ["timed out", "bad", "✗"],
  failure: ["failed", "bad", "✗"],
};

const REASONS = {
  rpc: "stopped by hand",
  stop: "stopped by a stop word",
  timeout: "it took too long",
  interrupt: "a newer message interrupted it",
  rollback: "a newer message rolled it back",
  disconnect: "its connection ended",
};

/** What a choice of statuses means, for filters. */
export const STATUSES = {
  in_progress: "running",
  completed: "completed",
  incomplete: "incomplete",
  cancelled: "cancelled",
};

/**
 * Say how a run stands or ended.
 *
 * @param {any} run
 * @returns {{word: string, tone: string, sign: string, text: string}} `text`: what is known besides.
 */
export function stateOf(run) {
  const termination = run.termination ?? {};
  if (run.status === "in_progress") return { word: "running", tone: "live", sign: "●", text: "" };
  if (run.status === "cancelled") {
    const reason = String(termination.reason ?? "");
    return { word: "cancelled", tone: "off", sign: "⊘", text: REASONS[reason] ?? reason };
  }
  if (run.status === "incomplete") {
    return { word: "incomplete", tone: "warn", sign: "◌", text: "It ended without a report." };
  }
  const [word, tone, sign] = OUTCOMES[termination.status] ?? ["completed", "good", "✓"];
  return { word, tone, sign, text: String(termination.summary ?? "") };
}

/** Say what the end of its connection would do to an open run. */
export function disconnectText(run) {
  const grace = run.grace_ms ? ` after ${run.grace_ms / 1000} s` : "";
  return {
    continue: "If its connection ends, it goes on.",
    cancel: `If its connection ends, it is cancelled${grace}.`,
    incomplete: `If its connection ends, it ends as incomplete${grace}.`,
  }[run.on_disconnect] ?? "";
}

/**
 * Say what one turn is.
 *
 * @param {any} turn
 * @returns {{kind: "tool" | "prompt" | "answer" | "step", sign: string, label: string, isBad: boolean}}
 */
export function stepOf(turn) {
  const isBad = Boolean(turn.policy_rejected) || hasError(turn.output) || hasError(turn.cli_outcome);
  if (turn.tool) return { kind: "tool", sign: "⚒", label: line(turn.tool, 80), isBad };
  if (has(turn.output)) return { kind: "answer", sign: "❝", label: textOf(turn.output), isBad };
  if (turn.prompt) return { kind: "prompt", sign: "›", label: line(turn.prompt, 120), isBad };
  return { kind: "step", sign: "·", label: "step", isBad };
}

/** Name the tools that a turn used or asked for. */
function toolsOf(turn) {
  return turn.tool ? [line(turn.tool, 80)] : callsOf(turn).map((call) => line(call.name ?? call.tool ?? "tool", 80));
}

/** Give the tool calls that a turn's model asked for. */
export function callsOf(turn) {
  const calls = turn.model?.requested_tool_calls ?? turn.model?.tool_calls;
  return Array.isArray(calls) ? calls.filter((call) => call && typeof call === "object").slice(0, 20) : [];
}

/** Give the model's name, where a turn says it. */
export const modelOf = (turn) => turn.model?.model_id ?? turn.model?.model ?? null;

/** Count the tokens of a turn. */
export function tokensOf(turn) {
  const usage = turn.model?.usage ?? turn.model?.token_usage ?? {};
  const read = Number(usage.input ?? usage.input_tokens ?? usage.prompt_tokens) || 0;
  const written = Number(usage.output ?? usage.output_tokens ?? usage.completion_tokens) || 0;
  return { read, written };
}

/**
 * Sum up a run's turns.
 *
 * @param {{turn: any}[]} entries
 */
export function sums(entries) {
  const tools = new Map();
  const tokens = { read: 0, written: 0 };
  let failures = 0;
  for (const { turn } of entries) {
    if (turn.tool) tools.set(toolsOf(turn)[0], (tools.get(toolsOf(turn)[0]) ?? 0) + 1);
    if (stepOf(turn).isBad) failures += 1;
    const used = tokensOf(turn);
    tokens.read += used.read;
    tokens.written += used.written;
  }
  return { tools, tokens, failures };
}

/**
 * Give when a turn began and ended, in Unix milliseconds. A turn is recorded when it is over; it
 * began when its model says so, or else where the one before it ended.
 */
export function timeOf(entries, place, run) {
  const end = entries[place].at ?? null;
  if (end === null) return null;
  const before = place > 0 ? (entries[place - 1].at ?? run.started_at) : run.started_at;
  const took = Number(entries[place].turn.model?.duration_ms);
  const begin = took > 0 ? Math.max(run.started_at, end - took) : before;
  return { begin: Math.min(begin, end), end };
}

const has = (value) => value !== undefined && value !== null && value !== "";

function hasError(value) {
  return Boolean(value && typeof value === "object" && (value.error || value.is_error || value.isError));
}

function textOf(output) {
  if (typeof output === "string") return line(output, 120);
  return line(typeof output?.text === "string" ? output.text : output, 120);
}
