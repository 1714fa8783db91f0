// Each event as a sentence: who did it, and what. Pure.

import { bytes, count, many, short } from "../parts/format.js";
import { line } from "../parts/text.js";
import { agentOf, doorTitle, nameOf } from "./doors.js";
import { isOwn } from "./own.js";

/** Characters of what somebody wrote that a sentence quotes. */
const QUOTE = 140;
/** Characters of a name. */
const NAME = 40;

/** Whose deed an event is: the name of an agent, a person or the operator, as it is. */
export const doer = (event) => agentOf(event) ?? nameOf(event.actor);

/** How the doer is called at the beginning of the sentence. */
export function called(name) {
  return name.length > NAME ? `${line(name.slice(0, NAME))}…` : line(name);
}

/** Who stands at the beginning of an event's sentence. */
export const subject = (event) => called(doer(event));

/**
 * Say what happened, as it follows the subject.
 *
 * @param {any} event
 * @returns {string} one line.
 */
export const words = (event) => phrase(event, published);

/** Say it where its topic stands already. */
export const briefly = (event) => phrase(event, content);

function phrase(event, otherwise) {
  const data = event.data !== null && typeof event.data === "object" ? event.data : {};
  const known = isOwn(event) ? PHRASES[event.kind] : (event.kind === "bytes" ? BYTES.get(otherwise) : null);
  try {
    return line(known?.(data, event) ?? otherwise(event), 320);
  } catch {
    // Clients may publish any data under any kind.
    return line(otherwise(event), 320);
  }
}

const BYTES = new Map([
  [published, (data, event) => `sent ${received(data.payload)} on ${topic(event)}`],
  [content, (data) => `sent ${received(data.payload)}`],
]);

const PHRASES = {
  "run.started": (data, event) => `began a run: ${quote(data.intent)}${by(data, event)}`,
  "run.turn": (data) => turned(data),
  "run.ended": (data) => `ended its run: ${plain(data.status)} after ${turns(data.turn_count)}${reason(data.termination)}`,
  "chat.accepted": (data, event) => `was asked${by(data, event)}: ${quote(said(data.message))}`,
  "chat.started": (data) => `begins to answer in ${session(data)}`,
  "chat.delta": (data) => `is saying: ${quote(String(data.text ?? "").slice(-QUOTE))}`,
  "chat.tool": (data) => `uses ${quote(data.tool?.name ?? data.tool?.toolName ?? "a tool")} in ${session(data)}`,
  "chat.final": (data) => `answered: ${quote(said(data.message)) || "nothing"}`,
  "chat.error": (data) => `failed to answer in ${session(data)}: ${quote(data.error?.message ?? data.error)}`,
  "chat.aborted": (data) => `was stopped in ${session(data)} (${plain(data.reason)})`,
  "chat.rolled_back": (data) => `took back ${count(data.message_ids?.length ?? 0)} messages in ${session(data)}`,
  "chat.injected": (data) => `was given a note in ${session(data)}: ${quote(said(data.message))}`,
  "chat.imported": (data) => `took over ${data.messages.length} messages of elsewhere into ${session(data)}`,
  "chat.session": (data) => `${plain(data.change)} the chat ${session(data)}`,
  "issue.changed": (data) => issueChanged(data),
  "lock.claimed": (data) => `claimed lock ${data.issue_id} (fence ${data.fence})`,
  "lock.renewed": (data) => `renewed lock ${data.issue_id} (fence ${data.fence})`,
  "lock.released": (data) => `released lock ${data.issue_id}`,
  "lock.stolen": (data) => `took lock ${data.issue_id} from ${plain(data.previous)} (fence ${data.fence})${because(data)}`,
  "lock.lost": (data) => `lost lock ${data.issue_id}${because(data)}`,
  "lock.notified": (data) => `${plain(data.action)} lock ${data.issue_id} elsewhere`,
  "wait.begun": (data) => `waits for ${plain(data.waits_for)}, held by ${names(data.held_by)}`,
  "wait.ended": (data) => `waits no longer for ${plain(data.waits_for)}: ${plain(data.reason)}`,
  "wait.cycle": (data) => `stands in a circle of waiting: ${data.cycle.map((each) => plain(each.agent)).join(" → ")}`,
  "reservation.claimed": (data) => `reserved ${paths(data)} (${plain(data.mode)})`,
  "reservation.renewed": (data) => `renewed its reservation of ${paths(data)}`,
  "reservation.released": (data) => `gave back ${paths(data)}`,
  "reservation.lost": (data) => `lost its reservation of ${paths(data)}${because(data)}`,
  "agent.connected": (data) => `connected through ${doorTitle(plain(data.door))}`,
  "agent.disconnected": (data) => (data.connections ? `closed one of its connections through ${doorTitle(plain(data.door))}` : `left ${doorTitle(plain(data.door))}`),
  "agent.forgotten": () => "was silent so long that it is listed no longer",
  "agent.heartbeat": (data) => `is alive${data.active_issue_id ? `, at issue ${data.active_issue_id}` : ""}`,
  "agent.status": (data) => `is ${plain(data.status)}${data.previous ? `, was ${plain(data.previous)}` : ""}`,
  "direct.message": (data) => `wrote to ${plain(data.recipient)}: ${received(data.payload)}`,
};

const ISSUE = {
  created: "opened issue",
  updated: "rewrote issue",
  comments: "commented on issue",
  labels: "labelled issue",
  blockers: "changed what blocks issue",
  subissues: "changed what is under issue",
  deleted: "deleted issue",
};

function issueChanged({ issue_id: id, field, issue }) {
  const title = issue?.title ? `: ${quote(issue.title)}` : "";
  if (field !== "status") return `${ISSUE[field] ?? `changed (${plain(field)}) issue`} ${id}${title}`;
  return `${{ closed: "closed", open: "reopened" }[issue?.status] ?? "changed the state of"} issue ${id}${title}`;
}

function turned({ index, turn }) {
  const { tool, prompt, output } = turn ?? {};
  const text = output?.text ?? output;
  if (tool) return `used ${plain(tool)}${text ? `: ${quote(text)}` : ""}`;
  return `took turn ${index + 1}: ${quote(text ?? prompt ?? "")}`;
}

function published(event) {
  return `published ${event.kind === "message" ? "" : `${plain(event.kind)} `}on ${topic(event)}: ${quote(textOf(event.data))}`;
}

function content(event) {
  return `${event.kind === "message" ? "" : ` ${plain(event.kind)}`}: ${quote(textOf(event.data))}`;
}

function textOf(data) {
  return typeof data?.text === "string" ? data.text : data;
}

/** Give what base64 holds: its text where it is text, else its size. */
function received(payload) {
  const size = Math.floor((String(payload).length * 3) / 4);
  try {
    const binary = atob(String(payload).slice(0, 400));
    const text = new TextDecoder("utf-8", { fatal: size <= 300 }).decode(Uint8Array.from(binary, (sign) => sign.charCodeAt(0)));
    return /[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text.slice(0, -2)) ? bytes(size) : `“${quote(text)}”`;
  } catch {
    return bytes(size);
  }
}

/** Give the text of a chat message. */
function said(message) {
  const content = message?.content ?? message;
  if (!Array.isArray(content)) return content ?? "";
  return content.map((part) => part?.text ?? `[${plain(part?.type ?? "something")}]`).join(" ");
}

/** One name or several. */
export const names = (list) => (Array.isArray(list) ? line(list.join(", "), 80) || "nobody" : plain(list));

/** A sentence behind its subject: `: text` stands close to it. */
export const behind = (sentence) => (sentence.startsWith(":") ? sentence : ` ${sentence}`);

const quote = (text) => (text === undefined ? "" : line(text, QUOTE));
const plain = (text) => line(text ?? "nobody", 80);
const topic = (event) => line(event.topic, 80);
const session = (data) => plain(data.spelling ?? data.session_key);
const turns = (number) => many(number ?? 0, "turn");
const paths = (data) => (Array.isArray(data.paths) ? line(data.paths.join(", "), 80) : `reservation ${short(String(data.id))}`);
const because = (data) => (data.reason ? `: ${quote(data.reason)}` : "");
const reason = (end) => (end?.summary ? `: ${quote(end.summary)}` : (end?.reason ? ` (${plain(end.reason)})` : ""));
const by = (data, event) => (nameOf(event.actor) === data.agent ? "" : ` by ${plain(nameOf(event.actor))}`);
