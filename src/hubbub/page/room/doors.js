// The doors of the house, and through which of them an event came.

import { isOwn } from "./own.js";

/** @typedef {{name: string, title: string, holds: string}} Door */

/** @type {Door[]} */
export const DOORS = [
  { name: "hubbub", title: "hubbub", holds: "this page, own programs" },
  { name: "x0x", title: "x0x", holds: "x0x applications" },
  { name: "crosslink", title: "crosslink", holds: "crosslink agents" },
  { name: "car", title: "CAR", holds: "CAR agents" },
  { name: "openclaw", title: "OpenClaw", holds: "OpenClaw, clawdbot" },
];

const TITLES = new Map(DOORS.map((door) => [door.name, door.title]));

/** How a door is called in a sentence. */
export const doorTitle = (name) => TITLES.get(name) ?? name;

/** Whose name an actor's id holds: `agent:ada` is ada. */
export function nameOf(actor) {
  const colon = actor.indexOf(":");
  return colon < 0 ? actor : actor.slice(colon + 1);
}

/** The agent that an event is about, or `null`: the acting one, or the one acted for. */
export function agentOf(event) {
  const { data } = event;
  if (isOwn(event) && typeof data?.agent === "string") return data.agent;
  return event.actor.startsWith("agent:") ? nameOf(event.actor) : null;
}


/**
 * Give the doors that an event may have come through: its own word where it says, else those
 * that its actor has connections at.
 *
 * @param {any} event
 * @param {import("./fold.js").Room} room
 * @returns {string[]} names; empty for what the daemon did by itself.
 */
export function doorsOf(event, room) {
  const { data } = event;
  if (event.kind === "bytes") return ["x0x"];
  if (event.topic.startsWith("agents/") && TITLES.has(data?.door)) return [data.door];
  if (event.kind === "run.started" && data?.source === "car") return ["car"];
  const agent = room.agents.get(nameOf(event.actor));
  const names = agent ? Object.keys(agent.doors) : [];
  return names.length || event.actor !== "operator" ? names : ["hubbub"];
}
