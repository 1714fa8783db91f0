// Times, sizes and names as people read them.

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** Time of day of Unix milliseconds. */
export const clock = (ms) => CLOCK.format(ms);

/** Day and time of Unix milliseconds. */
export const moment = (ms) => DAY.format(ms);

/** A span of milliseconds, in its two largest units. */
export function span(ms) {
  const s = Math.max(0, ms) / 1000;
  if (s < 1) return `${Math.round(ms)} ms`;
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** A span of milliseconds, in its largest unit. */
export const brief = (ms) => span(ms).split(" ", 2).join(" ");

/** How long ago a time was. */
export const ago = (ms, now) => (now - ms < 2000 ? "just now" : `${span(now - ms)} ago`);

/** A number of bytes. */
export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A whole number with separators. */
export const count = (value) => Math.round(value).toLocaleString("en");

/** So many of something: `1 turn`, `1,200 turns`. */
export const many = (number, one, more = `${one}s`) => `${count(number)} ${number === 1 ? one : more}`;

/** The end of a long id, which is where ids differ. */
export const short = (id) => (id.length > 12 ? `…${id.slice(-8)}` : id);

/** A colour's hue, from 0 to 359, that belongs to a name. */
export function hue(name) {
  let value = 7;
  for (let i = 0; i < name.length && i < 64; i += 1) value = (value * 31 + name.charCodeAt(i)) % 3600;
  return value % 360;
}
