// Short news in the corner, also read aloud.

import { h } from "../parts/element.js";
import { line } from "../parts/text.js";

const STAYS_MS = 7000;
const MOST = 4;

export class Notices {
  constructor() {
    this.element = h("div", { class: "notices", role: "log", "aria-live": "polite", "aria-label": "Notices" });
  }

  /**
   * Tell something.
   *
   * @param {string} text
   * @param {"" | "good" | "bad"} [tone]
   */
  tell(text, tone = "") {
    const notice = h("p", { class: `notice ${tone}` }, line(text, 300));
    this.element.append(notice);
    while (this.element.childElementCount > MOST) this.element.firstElementChild.remove();
    setTimeout(() => notice.remove(), STAYS_MS);
  }
}
