// Elements are made here and nowhere else: text is always text, markup is never parsed.

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [props] `on…` is a listener, a boolean switches an attribute,
 *   `null` and `undefined` leave it out, everything else is an attribute's text.
 * @param {...unknown} children elements, texts, arrays of them; `null` and `false` are left out.
 * @returns {HTMLElement}
 */
export function h(tag, props, ...children) {
  return dress(document.createElement(tag), props, children);
}

const SVG = "http://www.w3.org/2000/svg";

/** Make an element of a drawing; parameters as of `h`. */
export function svg(tag, props, ...children) {
  return dress(document.createElementNS(SVG, tag), props, children);
}

function dress(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  fill(element, children);
  return element;
}

/** Put children into an element, in place of those that it has. */
export function fill(element, ...children) {
  const nodes = children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
  element.replaceChildren(...nodes);
}

/** Set an element's text, without touching the page when it is the same. */
export function say(element, text) {
  const wanted = String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/** Set or remove an attribute, without touching the page when it is the same. */
export function mark(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

/**
 * Keep the children of an element in step with a list: those that stay are moved and updated,
 * not made anew, so that focus, selection and scrolling are kept.
 *
 * @template T
 * @param {Element} place
 * @param {Iterable<T>} items
 * @param {{key: (item: T) => string, make: (item: T) => Element,
 *   update?: (element: Element, item: T) => void}} how
 */
export function keep(place, items, { key, make, update }) {
  const known = place.keptByKey ?? new Map();
  const next = new Map();
  let at = place.firstElementChild;
  for (const item of items) {
    const name = key(item);
    if (next.has(name)) continue;
    const element = known.get(name) ?? make(item);
    update?.(element, item);
    next.set(name, element);
    if (element === at) at = at.nextElementSibling;
    else place.insertBefore(element, at);
  }
  for (const [name, element] of known) if (next.get(name) !== element) element.remove();
  place.keptByKey = next;
}
