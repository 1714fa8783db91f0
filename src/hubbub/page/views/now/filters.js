// Which events of the river are shown: by door, agent, topic and kind.

import { fill, h, mark } from "../../parts/element.js";
import { line } from "../../parts/text.js";

/** Names that are offered while typing, at most. */
const OFFERED = 200;
/** Told and not stored: too many for people, unless asked for by their kind. */
const EPHEMERAL = new Set(["agent.heartbeat", "chat.delta", "chat.tool"]);

export class Filters {
  #kinds = new Set();
  #agents = new Set();
  #onChange;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
    this.door = null;
    this.agent = this.#field("river-agent", "Agent", "ada", "agents");
    this.topic = this.#field("river-topic", "Topic", "runs/*");
    this.kind = this.#field("river-kind", "Kind", "lock", "kinds");
    this.clear = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => this.reset() }, "Show all");
    this.element = h("form", { class: "river-filters", role: "search", "aria-label": "Filter events", onsubmit: (event) => event.preventDefault() },
      this.agent.label, this.topic.label, this.kind.label, this.clear);
  }

  #field(id, name, example, offers) {
    const input = h("input", {
      type: "text", id, placeholder: example, autocomplete: "off", spellcheck: "false",
      list: offers && `${id}-offers`, oninput: () => this.#changed(), onfocus: () => this.#offer(),
    });
    const list = offers && h("datalist", { id: `${id}-offers` });
    const label = h("label", {}, h("span", {}, name), input, list);
    return { label, input, list };
  }

  /** Remember what can be chosen. */
  learn({ event, agent }) {
    if (this.#kinds.size < OFFERED) this.#kinds.add(event.kind);
    if (agent !== null && this.#agents.size < OFFERED) this.#agents.add(agent);
  }

  #offer() {
    const options = (names) => [...names].sort().map((name) => h("option", { value: line(name, 128) }));
    fill(this.agent.list, options(this.#agents));
    fill(this.kind.list, options(this.#kinds));
  }

  choose(door) {
    this.door = door;
    this.#changed();
  }

  reset() {
    for (const field of [this.agent, this.topic, this.kind]) field.input.value = "";
    this.door = null;
    this.#changed();
  }

  get isSet() {
    return Boolean(this.door || this.agent.input.value || this.topic.input.value || this.kind.input.value);
  }

  #changed() {
    this.clear.hidden = !this.isSet;
    for (const { input } of [this.agent, this.topic, this.kind]) mark(input, "data-set", Boolean(input.value));
    this.#onChange();
  }

  /**
   * Give the question that the fields ask.
   *
   * @returns {(entry: import("./river.js").Entry) => boolean}
   */
  matcher() {
    const { door } = this;
    const agent = this.agent.input.value.trim();
    const topic = matcherOf(this.topic.input.value.trim());
    const kind = this.kind.input.value.trim().replace(/\.?\*$/, "");
    return (entry) =>
      (!door || entry.doors.includes(door)) &&
      (!agent || entry.agent === agent || entry.event.actor === agent) &&
      topic(entry.event.topic) &&
      (kind ? entry.event.kind === kind || entry.event.kind.startsWith(`${kind}.`) : !EPHEMERAL.has(entry.event.kind));
  }
}

/** Ask of a topic what a subscription asks: a name, `prefix/*`, or `*`. */
export function matcherOf(pattern) {
  if (!pattern || pattern === "*") return () => true;
  if (pattern.endsWith("/*")) return (topic) => topic.startsWith(pattern.slice(0, -1));
  return (topic) => topic === pattern;
}
