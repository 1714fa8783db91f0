// Images that go with a message: chosen, pasted or dropped; checked before anything is sent.

import { fill, h } from "../../parts/element.js";
import { bytes } from "../../parts/format.js";
import { line } from "../../parts/text.js";

/** The daemon's default, in bytes; asked for where it says its limits. */
const MOST_BYTES = 5_000_000;
const MOST = 20;
/** All of one message together: it travels in one frame of 16 MiB, as base64. */
const MOST_TOGETHER = 11_000_000;
const LIMIT_NAMES = { "chat.max_attachment_bytes": "bytes", "chat.max_attachments": "count" };

export class Images {
  #app;
  #limits = { bytes: MOST_BYTES, count: MOST };

  /** @param {import("../../main.js").App} app */
  constructor(app) {
    this.#app = app;
    /** @type {{file: File, address: string}[]} */
    this.files = [];
    this.element = h("ul", { class: "attached", "aria-label": "Images to send", hidden: true });
    this.input = h("input", {
      type: "file", accept: "image/*", multiple: true, class: "hidden-visually", tabindex: "-1", "aria-label": "Images",
      onchange: () => (this.add(this.input.files), (this.input.value = "")),
    });
    this.#ask();
  }

  async #ask() {
    try {
      const { limits } = await this.#app.call("system.health");
      for (const { name, value } of limits ?? []) {
        if (LIMIT_NAMES[name]) this.#limits[LIMIT_NAMES[name]] = value;
      }
    } catch {
      // The defaults hold.
    }
  }

  /**
   * Take files; those that cannot be sent are refused with the reason.
   *
   * @param {Iterable<File>} files
   * @returns {boolean} some were images.
   */
  add(files) {
    const images = [...files].filter((file) => file.type.startsWith("image/"));
    for (const file of [...files]) {
      const why = this.#refusal(file);
      if (why) this.#app.notices.tell(`${line(file.name, 60)} is not attached: ${why}`, "bad");
      else this.files.push({ file, address: URL.createObjectURL(file) });
    }
    this.#draw();
    return images.length > 0;
  }

  #refusal(file) {
    const together = this.files.reduce((sum, each) => sum + each.file.size, file.size);
    if (!file.type.startsWith("image/")) return "only images can be sent.";
    if (file.size > this.#limits.bytes) return `it has ${bytes(file.size)}; ${bytes(this.#limits.bytes)} at most.`;
    if (this.files.length >= this.#limits.count) return `${this.#limits.count} images in one message at most.`;
    if (together > MOST_TOGETHER) return `the images of one message have ${bytes(MOST_TOGETHER)} together at most.`;
    return null;
  }

  #remove(chosen) {
    URL.revokeObjectURL(chosen.address);
    this.files = this.files.filter((each) => each !== chosen);
    this.#draw();
  }

  #draw() {
    this.element.hidden = this.files.length === 0;
    fill(this.element, this.files.map((each) => h("li", {},
      h("img", { src: each.address, alt: line(each.file.name, 60) }), h("span", { class: "soft" }, bytes(each.file.size)),
      h("button", { type: "button", class: "quiet small", "aria-label": `Take ${line(each.file.name, 60)} off`, onclick: () => this.#remove(each) }, "✕"))));
  }

  /** Give them as they are sent, and begin with none. */
  async take() {
    const files = this.files;
    this.files = [];
    this.#draw();
    const attachments = await Promise.all(files.map(async ({ file }) => ({ content: await contentOf(file), mime_type: file.type, file_name: file.name })));
    for (const { address } of files) URL.revokeObjectURL(address);
    return attachments;
  }

  clear() {
    for (const { address } of this.files) URL.revokeObjectURL(address);
    this.files = [];
    this.#draw();
  }
}

function contentOf(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result).replace(/^[^,]*,/, "")));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}
