// Which topics belong to the daemon: what stands under them is its word, all else is a client's.

/** Under these only the daemon's own services write. */
export const SERVICES = ["agents", "chat", "direct", "issues", "locks", "plans", "reservations", "runs"];

/** Give the service that a topic belongs to; `null`: it is a client's. */
export function serviceOf(topic) {
  const name = topic.slice(0, Math.max(0, topic.indexOf("/")));
  return SERVICES.includes(name) ? name : null;
}

/**
 * Say whether the daemon itself wrote an event. A client may publish any data under any kind, also
 * under those that the daemon's events have.
 */
export const isOwn = (event) => serviceOf(event.topic) !== null;
