// Keys do what buttons do; the sheet under `?` lists those that work now.

import { fill, h } from "../parts/element.js";

/** @typedef {{key: string, does: string, run: (event: KeyboardEvent) => void, group: string}} Binding */

export class Keys {
  #bindings = [];
  #sheet = h("dialog", { "aria-labelledby": "keys-title" });

  constructor() {
    document.addEventListener("keydown", (event) => this.#pressed(event));
    document.body.append(this.#sheet);
    this.add("Everywhere", "?", "show this sheet", () => this.show());
  }

  /**
   * Let a key do something, until the function that this returns is called.
   *
   * @param {string} group heading on the sheet.
   * @param {string} key as `KeyboardEvent.key` has it.
   * @param {string} does what it does, for the sheet.
   * @param {(event: KeyboardEvent) => void} run
   */
  add(group, key, does, run) {
    const binding = { group, key, does, run };
    this.#bindings.push(binding);
    return () => {
      this.#bindings = this.#bindings.filter((each) => each !== binding);
    };
  }

  show() {
    const groups = Map.groupBy(this.#bindings, (each) => each.group);
    const close = h("button", { type: "button", onclick: () => this.#sheet.close() }, "Close");
    fill(
      this.#sheet,
      h("div", { class: "title" }, h("h2", { id: "keys-title" }, "Keys"), close),
      [...groups].map(([name, bindings]) => [
        h("h3", {}, name),
        h("dl", { class: "keys" }, bindings.map(({ key, does }) => [
          h("dt", {}, h("kbd", {}, NAMES[key] ?? key)),
          h("dd", {}, does),
        ])),
      ]),
    );
    this.#sheet.showModal();
  }

  #pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const writes = event.target.closest?.("input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]");
    if (writes) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    // A link or a button that has the focus does by itself what Enter and space do.
    if ((event.key === "Enter" || event.key === " ") && event.target.closest?.("a, button, summary, [role=button]")) return;
    // What was added last stands in front: a view's key goes before the shell's.
    const binding = this.#bindings.findLast((each) => each.key === event.key);
    if (!binding) return;
    event.preventDefault();
    binding.run(event);
  }
}

const NAMES = { " ": "space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
