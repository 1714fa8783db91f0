// One event of the journal, found by its position, and in a few words.

import { line } from "../parts/text.js";

/** Read one event; null where it is kept no longer. */
export async function eventAt(app, epoch, seq) {
  const { events } = await app.call("journal.read", { after: { epoch, seq: seq - 1 }, limit: 1 });
  return events[0]?.seq === seq ? events[0] : null;
}

/** An event in a few words. */
export const told = (event) => `${line(event.kind, 40)} on ${line(event.topic, 60)}, by ${line(event.actor, 40)}`;
