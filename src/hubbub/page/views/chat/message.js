// One message on the page: its text, its images, and how it came to its end.

import { excerpt, showImage, showWhole } from "../../parts/dialogs.js";
import { fill, h } from "../../parts/element.js";
import { count } from "../../parts/format.js";
import { line, shown } from "../../parts/text.js";

/** Characters of one message that are shown at once. */
const MOST = 8000;
const MOST_IMAGES = 20;
/** What browsers draw and cannot be a program. */
const DRAWN = /^image\/(png|jpeg|gif|webp|bmp|avif)$/;

/**
 * Fill an element with the content of a message.
 *
 * @param {HTMLElement} place
 * @param {any} message
 */
export function fillMessage(place, message) {
  const text = textOf(message);
  const blocks = Array.isArray(message.content) ? message.content : [];
  const images = blocks.filter((block) => block?.type === "image" || block?.type === "image_url").slice(0, MOST_IMAGES);
  const others = blocks.filter((block) => block && typeof block === "object" && !KNOWN.has(block.type ?? "text")).slice(0, 20);
  fill(place,
    images.length > 0 && h("div", { class: "images" }, images.map(imageOf)),
    text && textParts(text), others.map(otherBlock),
    message.stopReason === "error" && h("p", { class: "message-error" }, "✗ ", line(message.errorMessage || "The turn failed.", 600)),
    message.stopReason === "aborted" && h("p", { class: "message-note" }, "⊘ Interrupted here by a newer message; this part was kept."),
    message.stopReason === "injected" && h("p", { class: "message-note" }, "put in by the daemon or an operator"));
}

const KNOWN = new Set(["text", "input_text", "output_text", "image", "image_url"]);

/** Give the text of a message, whichever of the known shapes it has. */
function textOf(message) {
  const content = message.content ?? message.text;
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  const texts = content.filter((block) => block && ["text", "input_text", "output_text"].includes(block.type ?? "text"));
  return texts.map((block) => block.text).filter((text) => typeof text === "string").join("\n");
}

/** Give the parts of a text: paragraphs as they are, and code between fences. */
export function textParts(text, title = "The whole message") {
  const parts = shown(text.slice(0, MOST), MOST).split(/^```/m).map((part, index) => {
    if (index % 2 === 0) return part.trim() && h("p", { class: "message-text" }, part.replace(/^\n+|\n+$/g, ""));
    const [, name, code] = /^([^\n]*)\n?([\s\S]*)$/.exec(part);
    return h("pre", { class: "message-code", tabindex: "0", "aria-label": name ? `Code: ${line(name, 30)}` : "Code" }, h("code", {}, code.replace(/\n$/, "")));
  });
  if (text.length <= MOST) return parts;
  const more = h("button", { type: "button", class: "quiet", onclick: () => showWhole(title, text) }, `Show all (${count(text.length)} characters)`);
  return [...parts, more];
}

/** Give the end of what is being said: all of it where it is short. */
export function tail(text) {
  return text.length > MOST ? `…${text.slice(-MOST + 1)}` : text;
}

function imageOf(block) {
  const type = String(block.mimeType ?? block.mime_type ?? "");
  const data = typeof block.data === "string" ? block.data : "";
  if (!DRAWN.test(type) || !data) return h("span", { class: "chip" }, `an image${type ? ` (${line(type, 40)})` : ""}`);
  const address = data.startsWith("data:") ? data : `data:${type};base64,${data}`;
  return h("button", { type: "button", class: "thumb", "aria-label": "Show the image", onclick: () => showImage("Image", address) },
    h("img", { src: address, alt: "An image in this message", loading: "lazy" }));
}

function otherBlock(block) {
  const name = line(block.name ?? block.type ?? "more", 60);
  const element = h("details", { class: "block" }, h("summary", {}, name));
  element.addEventListener("toggle", () => element.childElementCount === 1 && element.append(excerpt(name, block, 2000)), { once: true });
  return element;
}
