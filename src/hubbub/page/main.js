// Where the page begins: the ticket, the connection, the room, the shell.

import { copyable } from "./parts/empty.js";
import { h } from "./parts/element.js";
import { many } from "./parts/format.js";
import { LiveRoom } from "./room/live.js";
import { Rates } from "./room/rates.js";
import { Keys } from "./shell/keys.js";
import { Notices } from "./shell/notices.js";
import { Shell } from "./shell/shell.js";
import { NoAccess, forget, openAccess, takeTicket } from "./wire/access.js";
import { Connection } from "./wire/connection.js";

/**
 * @typedef {object} App What a view is given.
 * @property {(method: string, params?: object) => Promise<any>} call reads; rejects with Refused.
 * @property {(method: string, params?: object) => Promise<any>} write writes, under a key of its own.
 * @property {(work: Promise<any>) => Promise<any>} told awaits a call; a refusal becomes a notice.
 * @property {(error: Error) => void} failed shows an error as a notice.
 * @property {LiveRoom} live the room as it is, whatever is shown.
 * @property {Rates} rates how many events each topic brought lately.
 * @property {boolean} isPast a past room is shown.
 * @property {string} locked why nothing may be changed; empty: it may.
 * @property {Keys} keys
 * @property {Notices} notices
 * @property {(...path: string[]) => void} navigate opens a view.
 */

async function start() {
  const ticket = takeTicket();
  let access;
  try {
    access = await openAccess(ticket);
  } catch (error) {
    return explain(error);
  }
  const connection = new Connection(access.token);
  const notices = new Notices();
  const app = {
    connection,
    notices,
    keys: new Keys(),
    rates: new Rates(),
    isPast: false,
    get locked() {
      return app.isPast ? PAST : access.mayWrite ? "" : READ_ONLY;
    },
    call: (method, params) => busy(connection.call(method, params)),
    write: (method, params) => (app.locked ? Promise.reject(new Error(app.locked)) : connection.write(method, params)),
    failed: (error) => notices.tell(error.message, "bad"),
    told: (work) => work.catch((error) => (notices.tell(error.message, "bad"), undefined)),
  };
  app.live = new LiveRoom(connection, {
    change: () => shell.refresh(),
    told: (event) => app.rates.note(event),
    caughtUp: (news) => notices.tell(caughtUp(news), news.gap ? "bad" : "good"),
  });
  const shell = new Shell(app);
  connection.onState((state) => state === "refused" && forget());
  shell.route();
  connection.open();
}

const PAST = "This is the past: nothing can be changed here. Go back to now first, with the key 0.";
const READ_ONLY = "This page was opened with a link that may only read: hubbub open prints one that may change things.";

let reading = 0;

/** Let the page say that it is reading, until it is not. */
async function busy(read) {
  reading += 1;
  document.body.dataset.reading = String(reading);
  try {
    return await read;
  } finally {
    reading -= 1;
    document.body.dataset.reading = String(reading);
  }
}

function caughtUp({ count, gap }) {
  if (gap) return `${GAPS[gap] ?? gap} The room is shown as it is now.`;
  return `Connected again: caught up ${many(count, "event")}.`;
}

const GAPS = {
  retention: "Some events that came meanwhile are kept no longer.",
  epoch_changed: "This is another journal than before.",
  ahead: "The journal was restored from an older copy.",
};

function explain(error) {
  const why = error instanceof NoAccess ? error.message : "The daemon does not answer.";
  document.body.append(h("main", { class: "alone stack", id: "main" },
    h("h1", {}, "hubbub"), h("p", {}, why),
    h("p", {}, "In a terminal, this prints a link that opens the room, for some minutes:"),
    copyable("hubbub open")));
}

await start();
