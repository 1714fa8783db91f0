// JSON as people read it: set in, and never more of it than a page can bear.

import { shown } from "./text.js";

/** Characters shown at most. */
const WHOLE = 100 * 1024;
const DEEP = 40;

/**
 * Write a value as JSON on many lines, about `limit` characters of it at most.
 *
 * @param {unknown} value
 * @param {number} [limit]
 */
export function pretty(value, limit = WHOLE) {
  const out = [];
  let left = limit;
  const put = (text) => {
    out.push(text);
    left -= text.length;
  };
  const write = (item, level) => {
    if (left <= 0) return;
    if (typeof item === "string") return put(JSON.stringify(item.slice(0, left)) + (item.length > left ? "…" : ""));
    if (item === null || typeof item !== "object") return put(String(item));
    const isList = Array.isArray(item);
    const names = isList ? item.length : Object.keys(item).length;
    if (!names) return put(isList ? "[]" : "{}");
    if (level >= DEEP) return put(isList ? "[…]" : "{…}");
    const margin = `\n${"  ".repeat(level + 1)}`;
    put(isList ? "[" : "{");
    let isFirst = true;
    for (const name in item) {
      if (left <= 0) break;
      put(isFirst ? margin : `,${margin}`);
      isFirst = false;
      if (!isList) put(`${JSON.stringify(name.slice(0, left + 1))}: `);
      write(item[name], level + 1);
    }
    put(`\n${"  ".repeat(level)}${isList ? "]" : "}"}`);
  };
  write(value, 0);
  const text = shown(out.join(""), limit + 1000);
  return left <= 0 ? `${text}\n… (more than is shown here)` : text;
}
