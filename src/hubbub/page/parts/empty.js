// What stands where nothing is yet: why, and what to do next, with the command to copy.

import { h } from "./element.js";

/**
 * @param {string} text what would be here, and how it comes about.
 * @param {...string} commands lines for a terminal.
 */
export function empty(text, ...commands) {
  return h("div", { class: "empty" }, h("p", {}, text), commands.map(copyable));
}

/** Show a command with a button that copies it. */
export function copyable(command) {
  const button = h("button", { type: "button", class: "quiet", onclick: copy }, "Copy");
  async function copy() {
    try {
      await navigator.clipboard.writeText(command);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it and copy";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }
  return h("div", { class: "copy" }, h("code", {}, command), button);
}
