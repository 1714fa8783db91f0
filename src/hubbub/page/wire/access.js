// How the page comes by its token: a link's ticket, redeemed once; kept for this tab alone.

import { newKey } from "./key.js";
import { post } from "./post.js";

const KEY = "hubbub.access";

/** The person has to open a new link; the text says why. */
export class NoAccess extends Error {}

/**
 * Take the ticket out of the address, at once, before anything else can read it.
 *
 * @returns {string | null}
 */
export function takeTicket() {
  const found = /^#ticket=([A-Za-z0-9_-]+)$/.exec(location.hash);
  if (!found) return null;
  history.replaceState(null, "", `${location.pathname}#/now`);
  return found[1];
}

/**
 * @typedef {object} Access What lets this tab in.
 * @property {string} token
 * @property {boolean} mayWrite
 */

/**
 * Give what lets this tab in; a ticket gives it anew.
 *
 * @param {string | null} ticket
 * @returns {Promise<Access>}
 * @throws {NoAccess} there is none, or the ticket is void.
 */
export async function openAccess(ticket) {
  if (ticket) {
    // Under a key, so that a ticket is not lost with an answer that did not arrive.
    const redeem = { ticket, idempotency_key: newKey() };
    const answer = await patiently(() => post("tokens.redeem", redeem));
    if (answer.error && !sessionStorage.getItem(KEY)) throw new NoAccess(answer.error.message);
    if (answer.result) sessionStorage.setItem(KEY, JSON.stringify(accessOf(answer.result)));
  }
  const kept = sessionStorage.getItem(KEY);
  if (!kept) throw new NoAccess("This page needs a link of its own.");
  return JSON.parse(kept);
}

function accessOf({ token, scopes }) {
  return { token, mayWrite: scopes.some((scope) => scope !== "read") };
}

/** Forget a token that is void. */
export function forget() {
  sessionStorage.removeItem(KEY);
}

async function patiently(work) {
  try {
    return await work();
  } catch {
    await new Promise((later) => setTimeout(later, 1000));
    return work();
  }
}
