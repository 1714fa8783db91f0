// Where a message is written: text, images, and what it does to a turn that is open.

import { h, mark, say, svg } from "../../parts/element.js";
import { Images } from "./images.js";
import { STRATEGIES } from "./words.js";

const MOST_BYTES = 1024 * 1024;
const ENCODER = new TextEncoder();

let groups = 0;

export class Composer {
  #app;
  #how;
  #chosen = null;
  #own = "enqueue";

  /**
   * @param {import("../../main.js").App} app
   * @param {{send: (text: string, attachments: object[], strategy: string | null) => void, stop: () => void}} how
   */
  constructor(app, how) {
    this.#app = app;
    this.#how = how;
    this.images = new Images(app);
    this.text = h("textarea", {
      rows: "1", "aria-label": "Message", placeholder: "Say something", autocomplete: "off",
      onkeydown: (event) => this.#pressed(event), onpaste: (event) => this.#pasted(event), oninput: () => this.#changed(),
    });
    this.attach = h("button", {
      type: "button", class: "quiet attach", "aria-label": "Attach an image", title: "Attach an image",
      onclick: () => this.images.input.click(),
    }, picture());
    this.stop = h("button", { type: "button", class: "danger", hidden: true, onclick: how.stop }, "■ Stop");
    this.submit = h("button", { type: "submit", class: "main" }, "Send");
    this.choice = this.#strategies();
    this.note = h("p", { class: "soft composer-note", hidden: true });
    this.element = h("form", { class: "composer", onsubmit: (event) => (event.preventDefault(), this.#send()) },
      this.choice, this.images.element, this.images.input, this.note,
      h("div", { class: "composer-line" }, this.attach, this.text, this.stop, this.submit));
  }

  #strategies() {
    const name = `strategy-${(groups += 1)}`;
    this.radios = STRATEGIES.map(([value, title, does]) => {
      const input = h("input", { type: "radio", name, value, onchange: () => (this.#chosen = value) });
      return { value, input, own: h("span", { class: "soft", hidden: true }, " (usual here)"), title, does };
    });
    return h("fieldset", { class: "strategies", hidden: true },
      h("legend", {}, "A turn is open. Your next message does this:"),
      this.radios.map(({ input, own, title, does }) =>
        h("label", {}, input, h("span", {}, h("strong", {}, title), own, h("span", { class: "soft does" }, does)))));
  }

  /**
   * Show what may be done.
   *
   * @param {{isLocked: boolean, isOpen: boolean, own: string}} state `isOpen`: a turn is open;
   *   `own`: what the session does with a second message.
   */
  draw({ isLocked, isOpen, own }) {
    this.element.hidden = isLocked;
    this.choice.hidden = !isOpen;
    this.stop.hidden = !isOpen;
    if (!isOpen) this.#chosen = null;
    this.#own = own;
    for (const radio of this.radios) {
      radio.input.checked = radio.value === (this.#chosen ?? own);
      radio.own.hidden = radio.value !== own;
    }
  }

  focus() {
    this.text.focus();
  }

  #pressed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#send();
  }

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length && this.images.add(files)) event.preventDefault();
  }

  #changed() {
    const size = this.text.value.length > MOST_BYTES / 4 ? ENCODER.encode(this.text.value).length : 0;
    this.note.hidden = size <= MOST_BYTES;
    this.submit.disabled = size > MOST_BYTES;
    if (size > MOST_BYTES) say(this.note, `This message is too long: ${size.toLocaleString("en")} of ${MOST_BYTES.toLocaleString("en")} bytes.`);
  }

  async #send() {
    const text = this.text.value;
    if (this.submit.disabled || (!text.trim() && !this.images.files.length)) return;
    const strategy = this.#chosen && this.#chosen !== this.#own ? this.#chosen : null;
    this.#chosen = null;
    this.text.value = "";
    mark(this.text, "rows", "1");
    try {
      this.#how.send(text, await this.images.take(), strategy);
    } catch (error) {
      this.text.value = text;
      this.#app.failed(error);
    }
  }
}

/** A small picture: hills and a sun. */
function picture() {
  return svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" },
    svg("rect", { x: "2.5", y: "3.5", width: "15", height: "13", rx: "2.5" }),
    svg("circle", { cx: "7", cy: "8", r: "1.4" }),
    svg("path", { d: "M3 15 l4.5-4 3 2.5 3-3.5 3.5 4" }));
}
