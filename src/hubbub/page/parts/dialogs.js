// Dialogs: a question before what cannot be undone, a line to type, and a long text in full.

import { h } from "./element.js";
import { count } from "./format.js";
import { preview } from "./json.js";
import { PARAGRAPH, shown } from "./text.js";

/** Characters of a text that a dialog shows at most. */
const WHOLE = 100 * 1024;

let dialogs = 0;

/**
 * Ask before something that cannot be undone.
 *
 * @param {{title: string, text: string, action: string}} question `action` names the button.
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text, action }) {
  return new Promise((resolve) => {
    const yes = h("button", { type: "button", class: "danger", onclick: () => done(true) }, action);
    const no = h("button", { type: "button", autofocus: true, onclick: () => done(false) }, "Keep it");
    const dialog = opened(title, [h("p", { class: "dialog-text" }, text), h("div", { class: "row dialog-choice" }, no, yes)], () => resolve(false));
    function done(answer) {
      resolve(answer);
      dialog.close();
    }
  });
}

/**
 * Ask for one line of text.
 *
 * @param {{title: string, label: string, value?: string, hint?: string, action: string, limit: number}} question
 * @returns {Promise<string | null>} `null`: never mind.
 */
export function asked({ title, label, value = "", hint, action, limit }) {
  return new Promise((resolve) => {
    const input = h("input", { type: "text", maxlength: limit, value, autofocus: true, autocomplete: "off" });
    const form = h("form", { class: "stack", onsubmit: (event) => (event.preventDefault(), done()) },
      h("label", { class: "stack" }, label, input), hint && h("p", { class: "soft" }, hint),
      h("div", { class: "row dialog-choice" },
        h("button", { type: "button", onclick: () => dialog.close() }, "Never mind"),
        h("button", { type: "submit", class: "main" }, action)));
    const dialog = opened(title, [form], () => resolve(null));
    function done() {
      resolve(input.value);
      dialog.close();
    }
  });
}

/** Show a value in full, or as much of it as a page can bear. */
export function showWhole(title, value) {
  opened(title, [h("pre", { class: "whole", tabindex: "0" }, shown(value, WHOLE))], () => {}, true);
}

/** Show an image as large as the window lets it be. */
export function showImage(title, address) {
  opened(title, [h("img", { class: "whole-image", src: address, alt: "The image in full" })], () => {}, true);
}

/**
 * Show the beginning of a text, with a button for the rest where there is more.
 *
 * @param {string} title of the dialog that shows the rest.
 * @param {unknown} value
 * @param {number} [limit] characters.
 */
export function excerpt(title, value, limit = PARAGRAPH) {
  const whole = typeof value === "string" ? value : preview(value, WHOLE);
  if (whole.length <= limit) return h("pre", { class: "excerpt" }, shown(whole, limit));
  const more = h("button", { type: "button", class: "quiet", onclick: () => showWhole(title, whole) },
    `Show all (${count(whole.length)} characters)`);
  return h("div", { class: "stack" }, h("pre", { class: "excerpt" }, `${shown(whole.slice(0, limit))}…`), more);
}

function opened(title, children, closed, isLong = false) {
  const id = `dialog-${(dialogs += 1)}`;
  const close = h("button", { type: "button", onclick: () => dialog.close() }, "Close");
  const dialog = h("dialog", { "aria-labelledby": id },
    h("div", { class: "title" }, h("h2", { id }, title), isLong && close), children);
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
