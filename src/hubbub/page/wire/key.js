// Idempotency keys: under one, the daemon runs a write once, however often it is sent.

/** Make an idempotency key. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
