// What others wrote, made fit to be shown: control characters visible, length bounded.

import { preview } from "./json.js";

const LINE = 160;
export const PARAGRAPH = 4000;

// C0 and C1 without tab and newline, and the marks that turn the direction of text around.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * Give a text as it may be shown, and any other value as JSON.
 *
 * @param {unknown} value
 * @param {number} [limit] characters at most; what is cut off of a text is counted behind it.
 */
export function shown(value, limit = PARAGRAPH) {
  const isText = typeof value === "string";
  const whole = isText ? value : preview(value, limit);
  const part = whole.length > limit ? whole.slice(0, limit) : whole;
  const clean = part.replace(CONTROL, visible);
  const rest = whole.length - part.length;
  if (rest <= 0) return clean;
  return isText ? `${clean}… (${rest.toLocaleString("en")} characters more)` : `${clean}…`;
}

/** Give a text on one line. */
export function line(value, limit = LINE) {
  return shown(value, limit).replace(/\s+/g, " ");
}

function visible(sign) {
  const code = sign.codePointAt(0);
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\ufffd";
}
