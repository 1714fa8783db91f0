// How the page comes by its token: a link's ticket, redeemed once; kept for this tab alone.

import { newKey } from "./key.js";
import { post } from "./post.js";

const KEY = "hubbub.token";

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
 * Give the token of this tab; a ticket gives a new one.
 *
 * @param {string | null} ticket
 * @throws {NoAccess} there is none, or the ticket is void.
 */
export async function openAccess(ticket) {
  if (ticket) {
    // Under a key, so that a ticket is not lost with an answer that did not arrive.
    const redeem = { ticket, idempotency_key: newKey() };
    const answer = await patiently(() => post("tokens.redeem", redeem));
    if (answer.error && !sessionStorage.getItem(KEY)) throw new NoAccess(answer.error.message);
    if (answer.result) sessionStorage.setItem(KEY, answer.result.token);
  }
  const token = sessionStorage.getItem(KEY);
  if (!token) throw new NoAccess("This page needs a link of its own.");
  return token;
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
