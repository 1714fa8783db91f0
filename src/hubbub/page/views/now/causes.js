// What led to an event and what came of it, as a tree: causes by their ids, then effects.

/** Steps up that are followed. */
const UP = 50;
/** Events in one tree at most. */
const MOST = 120;

/**
 * @typedef {object} Step
 * @property {any | null} event `null`: a request, of which only the id is known.
 * @property {string} id
 * @property {Step[]} effects
 * @property {boolean} [isCut] there is more than is shown.
 */

/**
 * Follow an event's causes up, and down again all that came of the first of them.
 *
 * @param {(method: string, params: object) => Promise<any>} call
 * @param {any} event
 * @param {number} [upto] a past position: nothing that came later.
 * @returns {Promise<Step>} the first cause.
 */
export async function causesOf(call, event, upto = Infinity) {
  const root = await first(call, event);
  const known = new Map([[root.id, root]]);
  let row = [root];
  while (row.length && known.size < MOST) {
    const next = [];
    for (const step of row) {
      const { events, more } = await call("journal.effects", { id: step.id, limit: 40 });
      step.isCut = more;
      for (const effect of events) {
        if (effect.seq > upto || known.has(effect.id)) continue;
        if (known.size >= MOST) {
          step.isCut = true;
          break;
        }
        const below = { event: effect, id: effect.id, effects: [] };
        known.set(effect.id, below);
        step.effects.push(below);
        next.push(below);
      }
    }
    row = next;
  }
  for (const step of row) step.isCut ??= true;
  return root;
}

async function first(call, event) {
  const seen = new Set();
  let step = { event, id: event.id, effects: [] };
  for (let i = 0; i < UP && step.event.cause && !seen.has(step.id); i += 1) {
    seen.add(step.id);
    const id = step.event.cause;
    const above = await find(call, id);
    step = { event: above, id, effects: [] };
    if (!above) break;
  }
  return step;
}

async function find(call, id) {
  try {
    return (await call("journal.event", { id })).event;
  } catch (error) {
    if (error.code === "not_found") return null; // a request, or cut by retention
    throw error;
  }
}
