// How an agent or a person is shown: a name with a colour of its own.

import { h } from "./element.js";
import { hue } from "./format.js";
import { line } from "./text.js";

/** Give an element the colour that belongs to a name; its style has the class `hued`. */
export function hued(element, name) {
  element.style.setProperty("--hue", String(hue(name)));
  return element;
}

/** A name in its colour. */
export function named(name, limit = 60) {
  return hued(h("span", { class: "hued name" }, line(name, limit)), name);
}

/** A round sign with the first letter of a name. */
export function face(name) {
  const letter = [...line(name, 8)][0] ?? "?";
  return hued(h("span", { class: "hued face", "aria-hidden": "true" }, letter.toUpperCase()), name);
}
