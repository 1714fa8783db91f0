// The views, in the order of their tabs.

import { now } from "./now/view.js";
import { runs } from "./runs/view.js";
import { chat } from "./chat/view.js";
import { work } from "./work/view.js";
import { topics } from "./topics/view.js";
import { health } from "./health/view.js";

/**
 * @typedef {object} Change What has happened since the last update.
 * @property {import("../room/fold.js").Room} room the room that is shown; never change it.
 * @property {any[]} events told since; stored and ephemeral, oldest first; none in the past.
 * @property {boolean} isPast
 * @property {boolean} isLocked nothing may be changed: it is the past, or the link was one to look.
 * @property {boolean} isReset read anew what a view has read for itself: the room shown is another
 *   one than before, or the page was away and has caught up, or it could not keep up.
 *
 * @typedef {object} Opened A view that is open.
 * @property {(change: Change) => void} update at most once per frame.
 * @property {() => void} close
 * @property {(rest: string[]) => void} [route] the address names something else within the view.
 *
 * @typedef {object} View
 * @property {string} name in the address.
 * @property {string} title
 * @property {string} key
 * @property {(place: HTMLElement, app: import("../main.js").App, rest: string[]) => Opened} open
 */

/** @type {View[]} */
export const VIEWS = [now, runs, chat, work, topics, health];
