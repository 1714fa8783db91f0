// Values as JSON that people read: never more of one than a page can bear, and never too deep, so
// that an event of a million nested lists costs no more than a short one.

/** Characters of a whole value at most. */
const WHOLE = 100 * 1024;
/** Levels of it. */
const DEEP = 40;
/** Levels of a preview. */
const FLAT = 12;

/**
 * Write the beginning of a value on one line.
 *
 * @param {unknown} value
 * @param {number} limit characters; only what is longer is cut, somewhere behind them.
 */
export function preview(value, limit) {
  return written(value, limit, FLAT, null);
}

/**
 * Write a whole value on many lines.
 *
 * @param {unknown} value
 * @param {number} [limit] characters, about; what is cut off is said.
 */
export function pretty(value, limit = WHOLE) {
  const text = written(value, limit, DEEP, "  ");
  return text.length > limit ? `${text}\n… (more than is shown here)` : text;
}

/** @param {string | null} margin set before each level of its lines; `null`: one line. */
function written(value, limit, deep, margin) {
  const out = [];
  let left = limit + 1;
  const put = (text) => {
    out.push(text);
    left -= text.length;
  };
  const begin = (level) => (margin === null ? "" : `\n${margin.repeat(level)}`);
  const gap = margin === null ? ", " : ",";
  const write = (item, level) => {
    if (left <= 0) return;
    if (typeof item === "string") return put(JSON.stringify(item.slice(0, left)) + (item.length > left ? "…" : ""));
    if (item === null || typeof item !== "object") return put(String(item));
    const isList = Array.isArray(item);
    const [open, close] = isList ? "[]" : "{}";
    if (level >= deep) return put(`${open}…${close}`);
    put(open);
    let isEmpty = true;
    for (const name in item) {
      if (left <= 0) return;
      put(isEmpty ? begin(level + 1) : gap + begin(level + 1));
      isEmpty = false;
      if (!isList) put(`${JSON.stringify(name.slice(0, left + 1))}: `);
      write(item[name], level + 1);
    }
    put(isEmpty ? close : begin(level) + close);
  };
  write(value, 0);
  return out.join("");
}
