// What others wrote, made fit to be shown: control characters visible, length bounded.

export const LINE = 160;
export const PARAGRAPH = 4000;

// C0 and C1 without tab and newline, and the marks that turn the direction of text around.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * Give a text as it may be shown.
 *
 * @param {unknown} value
 * @param {number} [limit] characters at most; what is cut off is counted behind it.
 */
export function shown(value, limit = PARAGRAPH) {
  const whole = typeof value === "string" ? value : preview(value, limit);
  const part = whole.length > limit ? whole.slice(0, limit) : whole;
  const clean = part.replace(CONTROL, visible);
  const rest = whole.length - part.length;
  return rest > 0 ? `${clean}… (${rest.toLocaleString("en")} characters more)` : clean;
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

/**
 * Write a value as JSON, but never more than about `limit` characters and never too deep: an
 * event of a million nested lists costs no more than a short one.
 */
export function preview(value, limit = PARAGRAPH, depth = 12) {
  const out = [];
  let left = limit + 1;
  const put = (text) => {
    out.push(text);
    left -= text.length;
  };
  const write = (item, level) => {
    if (left <= 0) return;
    if (typeof item === "string") return put(JSON.stringify(item.slice(0, left + 1)));
    if (item === null || typeof item !== "object") return put(String(item));
    if (level >= depth) return put(Array.isArray(item) ? "[…]" : "{…}");
    const isList = Array.isArray(item);
    put(isList ? "[" : "{");
    let first = true;
    for (const name in item) {
      if (left <= 0) break;
      if (!first) put(", ");
      first = false;
      if (!isList) put(`${JSON.stringify(name.slice(0, left + 1))}: `);
      write(item[name], level + 1);
    }
    put(isList ? "]" : "}");
  };
  write(value, 0);
  return out.join("");
}
