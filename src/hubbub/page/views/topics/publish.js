// Publish an event: checked before it is sent, and kept as it was typed when it is refused.

import { h, mark, say } from "../../parts/element.js";
import { bytes, count } from "../../parts/format.js";
import { rowOf } from "../../room/rates.js";

const ENCODER = new TextEncoder();
const MOST_TOPIC = 65_535;
/** Bytes of data: what is larger than a message may be would break the connection. */
const MOST_DATA = 1 << 20;

export class PublishForm {
  #app;
  #locked = "";
  #isSending = false;

  /** @param {import("../../main.js").App} app */
  constructor(app) {
    this.#app = app;
    this.topic = h("input", { type: "text", id: "publish-topic", autocomplete: "off", spellcheck: "false", placeholder: "lobby", oninput: () => this.#checked() });
    this.kind = h("input", { type: "text", id: "publish-kind", autocomplete: "off", spellcheck: "false", value: "message", oninput: () => this.#checked() });
    this.data = h("textarea", { id: "publish-data", rows: "4", spellcheck: "false", class: "mono", "aria-describedby": "publish-problem", oninput: () => this.#checked() });
    this.isText = radio("text", "Text", true, () => this.#checked());
    this.isJson = radio("json", "JSON", false, () => this.#checked());
    this.problem = h("p", { id: "publish-problem", class: "problem", role: "status" });
    this.send = h("button", { type: "submit", class: "main" }, "Publish");
    this.element = h("form", { class: "card stack publish", "aria-labelledby": "publish-title", onsubmit: (event) => this.#submitted(event) },
      h("h3", { id: "publish-title" }, "Publish"),
      h("div", { class: "publish-row" }, h("label", {}, h("span", {}, "Topic"), this.topic), h("label", {}, h("span", {}, "Kind"), this.kind)),
      h("div", { class: "stack publish-data" },
        h("div", { class: "row spread" }, h("label", { for: "publish-data" }, "Data"),
          h("fieldset", { class: "row" }, h("legend", { class: "hidden-visually" }, "The data is"), this.isText.label, this.isJson.label)),
        this.data),
      h("div", { class: "row spread" }, this.problem, this.send));
  }

  /** Offer a topic, unless somebody has typed one. */
  suggest(topic) {
    if (rowOf(topic) !== topic || topic.endsWith("/*") || this.#isTyped) return;
    this.topic.value = topic;
  }

  get #isTyped() {
    return this.data.value !== "" || document.activeElement === this.topic;
  }

  /** Take note of why nothing may be published; empty: it may. */
  allow(locked) {
    if (locked !== this.#locked) this.#tell(locked, null);
    this.#locked = locked;
    this.send.disabled = locked !== "" || this.#isSending;
  }

  /** While somebody types, only take back what is no longer wrong. */
  #checked() {
    if (this.problem.textContent && !this.#locked) this.#problemOf();
  }

  /** Say what is wrong, at the field where it is; gives the event when nothing is. */
  #problemOf() {
    const topic = this.topic.value.trim();
    const own = rowOf(topic);
    if (!topic) return this.#tell("Name a topic, such as lobby.", this.topic);
    if (ENCODER.encode(topic).length > MOST_TOPIC) return this.#tell(`A topic has ${count(MOST_TOPIC)} bytes at most.`, this.topic);
    if (own !== topic) return this.#tell(`Topics under ${own} belong to the daemon; choose another name.`, this.topic);
    if (!this.kind.value.trim()) return this.#tell("Name a kind; message is the usual one.", this.kind);
    if (ENCODER.encode(this.data.value).length > MOST_DATA) return this.#tell(`This form takes ${bytes(MOST_DATA)}; for more there is hubbub publish.`, this.data);
    if (this.isText.input.checked) return this.#tell("", null, { topic, kind: this.kind.value.trim(), data: this.data.value });
    try {
      return this.#tell("", null, { topic, kind: this.kind.value.trim(), data: JSON.parse(this.data.value, exact) });
    } catch (error) {
      return this.#tell(whatIsWrong(error), this.data);
    }
  }

  #tell(text, field, event = null) {
    say(this.problem, text);
    for (const each of [this.topic, this.kind, this.data]) mark(each, "aria-invalid", each === field);
    return event;
  }

  async #submitted(submit) {
    submit.preventDefault();
    if (this.#locked || this.#isSending) return;
    const event = this.#problemOf();
    if (!event) return this.element.querySelector("[aria-invalid]").focus();
    this.#isSending = this.send.disabled = true;
    try {
      const { position } = await this.#app.write("topics.publish", event);
      this.#app.notices.tell(`Published as event ${count(position.seq)}.`, "good");
      this.data.value = "";
    } catch (error) {
      this.#tell(error.message, this.topic);
    } finally {
      this.#isSending = false;
      this.send.disabled = this.#locked !== "";
    }
  }
}

class Inexact extends Error {}

/** Refuse what would be sent as another number than was typed. */
function exact(_name, value) {
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new Inexact(`A browser cannot send this number as it is: it would be ${value}. Put it in quotes, or use hubbub publish.`);
  }
  return value;
}

function whatIsWrong(error) {
  if (error instanceof Inexact) return error.message;
  return error instanceof RangeError ? "This is nested too deeply." : `This is no JSON: ${error.message}`;
}

function radio(value, title, isChosen, onChange) {
  const input = h("input", { type: "radio", name: "publish-as", value, checked: isChosen, onchange: onChange });
  return { input, label: h("label", { class: "row" }, input, title) };
}
